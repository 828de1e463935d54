import Backends
import Tensors

/// A weight matrix whose rows can be read as 32-bit floats: widened once, or quantized and dequantized row by row.
struct WeightMatrix {
    let rowCount: Int
    private let storage: Storage

    private enum Storage {
        case widened(Matrix)
        case quantized(Quantized)
    }

    private struct Quantized {
        let matrix: QuantizedMatrix
        let rows: MemoryRange
        /// Two rows: as stored, and in the order of the inputs.
        let scratch: Matrix
    }

    /// Allocates memory for `weights` from `pool`.
    init(_ weights: LinearWeights, pool: MemoryPool) throws(BackendError) {
        rowCount = weights.outputSize
        switch weights {
        case .dense(let tensor):
            let matrix = try Matrix(
                rowCount: weights.outputSize, width: weights.inputSize, for: .weights, pool: pool)
            tensor.withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress else { return }
                for output in 0..<weights.outputSize {
                    let row = matrix.row(output)
                    for input in row.indices {
                        row[input] = tensor.elementType.load(source, at: output * row.count + input)
                    }
                }
            }
            storage = .widened(matrix)
        case .quantized(let matrix):
            let rows = try pool.allocate(byteCount: matrix.byteCount, for: .weights)
            matrix.read(0..<matrix.outputSize, into: Self.start(of: rows))
            storage = .quantized(
                Quantized(
                    matrix: matrix, rows: rows,
                    scratch: try Matrix(rowCount: 2, width: matrix.inputSize, for: .scratch, pool: pool)))
        }
        weights.unload()
    }

    /// Row `row`, `[inputSize]`, valid until the next call.
    func row(_ row: Int) -> UnsafeMutableBufferPointer<Float> {
        switch storage {
        case .widened(let matrix): return matrix.row(row)
        case .quantized(let quantized):
            let stored = quantized.scratch.row(0)
            guard let target = stored.baseAddress else { return stored }
            quantized.matrix.layout.widen(
                Self.start(of: quantized.rows) + row * quantized.matrix.rowByteCount,
                inputSize: quantized.matrix.inputSize,
                to: target)
            guard let order = quantized.matrix.inputOrder else { return stored }
            let ordered = quantized.scratch.row(1)
            for column in stored.indices { ordered[Int(order[column])] = stored[column] }
            return ordered
        }
    }

    private static func start(of range: MemoryRange) -> UnsafeMutableRawPointer {
        guard let pointer = range.hostPointer else { preconditionFailure("the reference backend lives on the host") }
        return pointer
    }
}
