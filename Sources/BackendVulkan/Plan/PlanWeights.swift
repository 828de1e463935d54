import Backends
import CLibrary
import Lowering
import SharedValues
import Tensors

/// A plan's weights on the device: matrices, vectors, biases of fused matrices, orders of columns and tables of rotations.
struct PlanWeights {
    private var matrices: [[MatrixID]: DeviceMatrix] = [:]
    private var tables: [RotaryEmbedding: MemoryRange] = [:]
    private var orders: [[Int32]: MemoryRange] = [:]
    private var vectorOffsets: [Int] = []
    private var biasOffsets: [[LinearPart]: Int] = [:]
    /// Vectors and biases one after another, 32-bit floats.
    let vectors: MemoryRange

    init(
        operations: [FusedOperation], plan: ForwardPlan, limits: BatchLimits, maxRangeByteCount: Int, pool: MemoryPool
    ) throws(BackendError) {
        let slab = PackingSlab()
        var numbers: [Float] = []
        for vector in plan.vectors {
            vectorOffsets.append(numbers.count)
            numbers += vector.elements
        }
        for operation in operations {
            switch operation {
            case .embed(let table, _, _):
                try Self.pack([table], plan, maxRangeByteCount, pool, slab, &matrices)
            case .reorder(_, let matrix, _):
                guard let order = plan[matrix].weights.inputOrder, orders[order] == nil else { continue }
                let range = try pool.allocate(byteCount: order.count * 4, for: .weights)
                try order.withUnsafeBufferPointer { numbers throws(BackendError) in
                    try range.buffer.write(UnsafeRawBufferPointer(numbers), at: range.byteOffset)
                }
                orders[order] = range
            case .linear(_, let parts):
                try Self.pack(parts.map(\.weights), plan, maxRangeByteCount, pool, slab, &matrices)
                guard parts.contains(where: { $0.bias != nil }) else { continue }
                biasOffsets[parts] = numbers.count
                for part in parts {
                    let width = plan[part.output].width
                    numbers += part.bias.map { plan[$0].elements } ?? [Float](repeating: 0, count: width)
                    let padding = parts.count == 1 ? 0 : width.roundedUp(to: DeviceMatrix.tile) - width
                    numbers += [Float](repeating: 0, count: padding)
                }
            case .head(let head):
                guard let rotary = head.rotary, tables[rotary] == nil else { continue }
                tables[rotary] = try Self.table(rotary, limits, pool)
            default: continue
            }
        }
        // An empty range cannot be bound.
        if numbers.isEmpty { numbers = [0] }
        vectors = try pool.allocate(byteCount: numbers.count * 4, for: .weights)
        try vectors.write(numbers)
    }

    /// The packed matrix of a step's matrices.
    func matrix(_ matrices: [MatrixID]) -> DeviceMatrix {
        guard let packed = self.matrices[matrices] else { preconditionFailure("a matrix that no step uses") }
        return packed
    }

    /// Cosine and sine of each pair at each position, `[positions, pairs, 2]`.
    func table(_ rotary: RotaryEmbedding) -> MemoryRange {
        guard let table = tables[rotary] else { preconditionFailure("a rotation that no step uses") }
        return table
    }

    /// For each column of a matrix with columns in this order its input, `[inputSize]`.
    func order(_ order: [Int32]) -> MemoryRange {
        guard let range = orders[order] else { preconditionFailure("an order that no step uses") }
        return range
    }

    /// Where `vector` begins in `vectors`.
    func offset(of vector: VectorID) -> Int { vectorOffsets[vector.index] }

    /// Where the biases of a step begin in `vectors`; nil where it has none.
    func biasOffset(of parts: [LinearPart]) -> Int? { biasOffsets[parts] }

    private static func pack(
        _ ids: [MatrixID], _ plan: ForwardPlan, _ maxRangeByteCount: Int, _ pool: MemoryPool,
        _ slab: PackingSlab, _ matrices: inout [[MatrixID]: DeviceMatrix]
    ) throws(BackendError) {
        guard matrices[ids] == nil else { return }
        matrices[ids] = try DeviceMatrix(
            ids.map { plan[$0].weights }, maxRangeByteCount: maxRangeByteCount, pool: pool, slab: slab)
    }

    /// Computed here, once: the precision that Vulkan asks of `sin` and `cos` is too low for long contexts.
    private static func table(
        _ rotary: RotaryEmbedding, _ limits: BatchLimits, _ pool: MemoryPool
    ) throws(BackendError) -> MemoryRange {
        var numbers: [Float] = []
        numbers.reserveCapacity(limits.maxContextLength * rotary.frequencies.count * 2)
        for position in 0..<limits.maxContextLength {
            for frequency in rotary.frequencies {
                let angle = Double(Float(position) * frequency)
                numbers.append(Float(cos(angle)) * rotary.magnitude)
                numbers.append(Float(sin(angle)) * rotary.magnitude)
            }
        }
        if numbers.isEmpty { numbers = [1, 0] }
        let range = try pool.allocate(byteCount: numbers.count * 4, for: .weights)
        try range.write(numbers)
        return range
    }
}

extension MemoryRange {
    /// Copies `numbers` to its start.
    func write(_ numbers: [Float]) throws(BackendError) {
        try numbers.withUnsafeBufferPointer { numbers throws(BackendError) in
            try buffer.write(UnsafeRawBufferPointer(numbers), at: byteOffset)
        }
    }
}
