import Backends
import CPUKernels
import Tensors

/// A weight matrix in pool memory, in the layout that its readers want.
struct PackedWeights: Sendable {
    /// How the numbers lie in memory.
    enum Layout: Sendable {
        /// One after another, row-major.
        case rows(ElementType)
        /// One after another, in panels (`quire_pack`).
        case panels(ElementType)
        /// Packed, in panels (`quire_pack_quantized`).
        case quantized(quire_quantized)
    }

    /// `[outputSize, inputSize]`.
    let outputSize: Int
    /// Columns of the matrix.
    let inputSize: Int
    /// How they lie in memory; rows can be read out of each.
    let layout: Layout
    /// The numbers.
    let range: MemoryRange

    /// Copies `weights` into memory of `pool`: in panels if a linear operation reads them, row-major if only rows
    /// are looked up. One copy serves both. Packed weights are always in panels.
    init(
        _ weights: LinearWeights, asPanels: Bool, pool: MemoryPool, workers: WorkerPool
    ) throws(BackendError) {
        outputSize = weights.outputSize
        inputSize = weights.inputSize
        switch weights {
        case .dense(let tensor) where asPanels:
            let type = tensor.elementType
            layout = .panels(type)
            range = try pool.allocate(
                byteCount: quire_packed_byte_count(type.kernelType, outputSize, inputSize), for: .weights)
            workers.run(DensePacking(tensor, target: range.start))
        case .dense(let tensor):
            layout = .rows(tensor.elementType)
            range = try pool.allocate(byteCount: tensor.byteCount, for: .weights)
            let target = range.start
            tensor.withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress else { return }
                target.copyMemory(from: source, byteCount: bytes.count)
            }
        case .quantized(let matrix):
            let format = try QuantizedFormat(matrix)
            layout = .quantized(format.matrix)
            range = try pool.allocate(
                byteCount: quire_panel_count(outputSize) * format.panelByteCount, for: .weights)
            workers.run(QuantizedPacking(matrix, format, target: range.start))
        }
        weights.unload()
    }
}
