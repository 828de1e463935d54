import Backends
import Tensors

/// The orders of columns that a plan's matrices have. Matrices with the same order, such as `q`, `k` and `v` of a layer,
/// share one copy.
struct InputOrders {
    private var ranges: [[Int32]: MemoryRange] = [:]

    /// Copies the orders of `matrices` into memory of `pool`.
    init(of matrices: [PlanMatrix], pool: MemoryPool) throws(BackendError) {
        for matrix in matrices {
            guard let order = matrix.weights.inputOrder, ranges[order] == nil else { continue }
            let range = try pool.allocate(byteCount: order.count * 4, for: .weights)
            order.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { range.start.copyMemory(from: source, byteCount: bytes.count) }
            }
            ranges[order] = range
        }
    }

    /// The memory that holds them.
    var memory: [MemoryRange] { Array(ranges.values) }

    /// The order of the columns of `matrix`, `[inputSize]`. Precondition: it has one.
    func order(of matrix: PlanMatrix) -> UnsafePointer<Int32> {
        guard let order = matrix.weights.inputOrder, let range = ranges[order] else {
            preconditionFailure("\(matrix.name) has its columns in order")
        }
        return UnsafePointer(range.start.assumingMemoryBound(to: Int32.self))
    }
}
