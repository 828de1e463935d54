import Backends

/// A row-major matrix of 32-bit floats in a memory range: `[rowCount, width]`.
struct Matrix {
    let width: Int
    private let range: MemoryRange
    private let start: UnsafeMutablePointer<Float>

    /// Allocates memory for `rowCount` rows from `pool`.
    init(rowCount: Int, width: Int, for use: BufferUsage, pool: MemoryPool) throws(BackendError) {
        self.width = width
        range = try pool.allocate(byteCount: rowCount * width * 4, for: use)
        guard let pointer = range.hostPointer else { preconditionFailure("the reference backend lives on the host") }
        start = pointer.bindMemory(to: Float.self, capacity: rowCount * width)
    }

    /// Row `row`, `[width]`.
    func row(_ row: Int) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: start + row * width, count: width)
    }

    /// The first `rowCount` rows, as the result of a plan.
    func sampled(_ rowCount: Int) -> SampledRows {
        SampledRows(rowCount: rowCount, vocabularySize: width, logits: range)
    }
}
