import Backends
import CLibrary
import Lowering
import SharedValues
import Tensors

/// A plan's weights on the device: matrices, vectors, biases of fused matrices, orders of inputs, rotary tables, and
/// factors by position.
struct PlanWeights {
    private var matrices: [[MatrixID]: DeviceMatrix] = [:]
    private var sets: [MatrixSetID: DeviceMatrix] = [:]
    private var tables: [RotaryEmbedding: MemoryRange] = [:]
    private var orders: [[Int32]: MemoryRange] = [:]
    private var vectorOffsets: [Int] = []
    private var biasOffsets: [[LinearPart]: Int] = [:]
    private var factorOffsets: [PositionScale: Int] = [:]
    /// Which experts are in the device's memory.
    let placement: ExpertPlacement
    /// Two counters that the device adds to and the host reads: chosen experts in the device's memory, and in the host's. Nil:
    /// nothing limits those in the device's.
    let expertCounters: MemoryRange?
    /// Vectors, biases and factors one after another, 32-bit floats.
    let vectors: MemoryRange

    init(
        operations: [FusedOperation], plan: ForwardPlan, limits: BatchLimits, maxRangeByteCount: Int, pool: MemoryPool,
        experts: ExpertMemory? = nil
    ) throws(BackendError) {
        if let experts {
            placement = try ExpertPlacement(
                operations, plan, byteCount: experts.byteCount, maxRangeByteCount: maxRangeByteCount)
            let counters = try experts.hostPool.allocate(byteCount: 8, for: .hostWeights)
            try counters.write([0, 0])
            expertCounters = counters
        } else {
            placement = ExpertPlacement()
            expertCounters = nil
        }
        let staging = TileStaging()
        var numbers: [Float] = []
        for vector in plan.vectors {
            vectorOffsets.append(numbers.count)
            numbers += vector.elements
        }
        for operation in operations {
            switch operation {
            case .embed(let table, _, _, _):
                try Self.upload([table], plan, maxRangeByteCount, pool, staging, &matrices)
            case .reorder(_, let matrix, _):
                guard let order = plan[matrix].weights.inputOrder, orders[order] == nil else { continue }
                let range = try pool.allocate(byteCount: order.count * 4, for: .weights)
                try order.withUnsafeBufferPointer { numbers throws(BackendError) in
                    try range.buffer.write(UnsafeRawBufferPointer(numbers), at: range.byteOffset)
                }
                orders[order] = range
            case .linear(_, let parts):
                try Self.upload(parts.map(\.weights), plan, maxRangeByteCount, pool, staging, &matrices)
                guard parts.contains(where: { $0.bias != nil }) else { continue }
                biasOffsets[parts] = numbers.count
                for part in parts {
                    let width = plan[part.output].width
                    numbers += part.bias.map { plan[$0].elements } ?? [Float](repeating: 0, count: width)
                    let padding = parts.count == 1 ? 0 : width.roundedUp(to: DeviceMatrix.tile) - width
                    numbers += [Float](repeating: 0, count: padding)
                }
            case .selectedLinear(_, let set, _, let selector, _):
                guard sets[set] == nil else { continue }
                if let slots = plan[set].slots {
                    sets[set] = try DeviceMatrix(slots, maxRangeByteCount: maxRangeByteCount, pool: pool)
                    continue
                }
                let matrices = plan[set].matrices
                guard case .routes(let routes) = selector else { preconditionFailure("adapters that are no slots") }
                let count = placement.deviceCount(of: routes) ?? matrices.count
                var matrix: DeviceMatrix?
                if count > 0 {
                    matrix = try DeviceMatrix(
                        Array(matrices[..<count]), maxRangeByteCount: maxRangeByteCount, pool: pool, staging: staging)
                }
                if count < matrices.count, let host = experts?.hostPool {
                    let rest = try DeviceMatrix(
                        Array(matrices[count...]), maxRangeByteCount: maxRangeByteCount, pool: host,
                        for: .hostWeights, staging: staging)
                    matrix = matrix?.above(rest) ?? rest
                }
                sets[set] = matrix
            case .head(let head):
                guard let rotary = head.rotary, tables[rotary] == nil else { continue }
                tables[rotary] = try Self.table(rotary, limits, pool)
            case .positionScale(_, let scale, _):
                guard factorOffsets[scale] == nil else { continue }
                factorOffsets[scale] = numbers.count
                // Computed here, as the precision that Vulkan asks of `log` is too low.
                numbers += (0...scale.stretch(of: limits.maxContextLength)).map { scale.factor(ofStretch: $0) }
            default: continue
            }
        }
        // An empty range cannot be bound.
        if numbers.isEmpty { numbers = [0] }
        vectors = try pool.allocate(byteCount: numbers.count * 4, for: .weights)
        try vectors.write(numbers)
    }

    /// The device's matrix for the matrices of a fused operation.
    func matrix(_ matrices: [MatrixID]) -> DeviceMatrix {
        guard let matrix = self.matrices[matrices] else { preconditionFailure("a matrix that no operation uses") }
        return matrix
    }

    /// The device's matrix for a set: its matrices one below the other, each padded to whole tiles.
    func matrix(_ set: MatrixSetID) -> DeviceMatrix {
        guard let matrix = sets[set] else { preconditionFailure("a set that no operation uses") }
        return matrix
    }

    /// Cosine and sine of each pair at each position, `[positions, pairs, 2]`.
    func table(_ rotary: RotaryEmbedding) -> MemoryRange {
        guard let table = tables[rotary] else { preconditionFailure("a rotary embedding that no operation uses") }
        return table
    }

    /// For each input of a matrix its number in the activations, `[inputSize]`.
    func order(_ order: [Int32]) -> MemoryRange {
        guard let range = orders[order] else { preconditionFailure("an order that no operation uses") }
        return range
    }

    /// The offset of `vector` in `vectors`, in numbers.
    func offset(of vector: VectorID) -> Int { vectorOffsets[vector.index] }

    /// The offset of the biases of a fused operation in `vectors`; nil where it has none.
    func biasOffset(of parts: [LinearPart]) -> Int? { biasOffsets[parts] }

    /// The offset of the factors of `scale` in `vectors`, one for each stretch of positions.
    func factorOffset(of scale: PositionScale) -> Int {
        guard let offset = factorOffsets[scale] else { preconditionFailure("a scale that no operation uses") }
        return offset
    }

    private static func upload(
        _ ids: [MatrixID], _ plan: ForwardPlan, _ maxRangeByteCount: Int, _ pool: MemoryPool,
        _ staging: TileStaging, _ matrices: inout [[MatrixID]: DeviceMatrix]
    ) throws(BackendError) {
        guard matrices[ids] == nil else { return }
        matrices[ids] = try DeviceMatrix(
            ids.map { plan[$0].weights }, maxRangeByteCount: maxRangeByteCount, pool: pool, staging: staging)
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
