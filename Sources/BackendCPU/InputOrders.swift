import Backends
import Tensors

/// The orders of columns that a plan's matrices have, each kept once: `q`, `k` and `v` of a layer share theirs.
struct InputOrders {
    private let numbers: [MatrixID: Int]
    /// Memory that holds them.
    let ranges: [MemoryRange]

    /// Copies the orders of `matrices` into memory of `pool`.
    init(_ plan: ForwardPlan, matrices: Set<MatrixID>, pool: MemoryPool) throws(BackendError) {
        var known: [[Int32]: Int] = [:]
        var numbers: [MatrixID: Int] = [:]
        var ranges: [MemoryRange] = []
        for matrix in matrices {
            guard let order = plan[matrix].weights.inputOrder else { continue }
            if let number = known[order] {
                numbers[matrix] = number
                continue
            }
            let range = try pool.allocate(byteCount: order.count * 4, for: .weights)
            order.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { range.start.copyMemory(from: source, byteCount: bytes.count) }
            }
            known[order] = ranges.count
            numbers[matrix] = ranges.count
            ranges.append(range)
        }
        self.numbers = numbers
        self.ranges = ranges
    }

    /// The number of the order that `matrix` has; nil where its columns are in order.
    func number(of matrix: MatrixID) -> Int? { numbers[matrix] }

    /// Order `number`, `[inputSize]`.
    subscript(_ number: Int) -> UnsafePointer<Int32> {
        UnsafePointer(ranges[number].start.assumingMemoryBound(to: Int32.self))
    }
}
