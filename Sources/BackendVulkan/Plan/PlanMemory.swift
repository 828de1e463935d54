import Backends
import Lowering

/// The device memory of a plan apart from its cache: weights, values, partial sums of attention, logits.
struct PlanMemory {
    let plan: ForwardPlan
    let limits: BatchLimits
    /// Limbs of the integers that quantized weights are multiplied with; nil where activations are floats.
    let limbCount: Int?
    let stages: [[FusedOperation]]
    /// The lists of rows by adapter; nil where the plan has no slots for adapters.
    let adapters: AdapterTiles?
    let layout: ValueLayout
    let weights: PlanWeights
    let tasks: AttentionTasks
    /// Partial sums of attention, which a reduction combines.
    let states: MemoryRange
    let logits: MemoryRange
    /// The most likely tokens of each segment of the logits; nil where the host finds them.
    let segments: MemoryRange?
    /// The rows of a step grouped by matrix; nil where there is no set of matrices.
    let groups: MemoryRange?
    private let arenas: [MemoryRange]

    /// Uploads the weights of `lowered`, which was lowered for activations of `limbCount` limbs, and allocates scratch
    /// memory, all from `pool` but the experts that `experts` keeps in the host's memory.
    init(
        _ lowered: LoweredPlan<QuantizedActivations>, limits: BatchLimits, limbCount: Int?, pool: MemoryPool,
        experts: ExpertMemory?, shapes: KernelShapes, capabilities: DeviceCapabilities
    ) throws(BackendError) {
        self.limits = limits
        self.limbCount = limbCount
        plan = lowered.plan
        stages = lowered.stages
        adapters = AdapterTiles(plan, limits: limits)
        let operations = lowered.operations
        layout = lowered.layout
        weights = try PlanWeights(
            operations: operations, plan: plan, limits: limits,
            maxRangeByteCount: capabilities.longestRangeByteCount, pool: pool, experts: experts)
        var arenas: [MemoryRange] = []
        for byteCount in layout.arenaByteCounts {
            arenas.append(try pool.allocate(byteCount: byteCount, for: .scratch))
        }
        self.arenas = arenas
        logits = try pool.allocate(byteCount: layout.storages[layout.logitsStorage].byteCount, for: .scratch)
        if shapes.reducesSamples, let value = plan.logits {
            let count = limits.maxSampleCount * KernelShapes.segments(width: plan[value].width).count
            segments = try pool.allocate(
                byteCount: max(4, count * CandidateTable.recordCount * 4), for: .scratch)
        } else {
            segments = nil
        }

        var wordCount = 0
        for case .selectedLinear(_, let set, _, .routes(let routes), let output) in operations {
            let grouping = RowGrouping(
                matrixCount: plan[set].count, choiceCount: plan[routes].width / 2)
            let rowCount = limits.maxRowCount(plan[output].rows)
            wordCount = max(wordCount, grouping.wordCount(maxRowCount: rowCount))
        }
        groups = wordCount == 0 ? nil : try pool.allocate(byteCount: wordCount * 4, for: .scratch)

        var rowsPerTile = 16
        var stateSize = 0
        for case .attention(let layer, _, let shape, _, _) in operations {
            let heads = plan.cacheLayers[layer]
            let group = shape.queryHeadCount / heads.keyValueHeadCount
            let tiling = try shapes.attentionTiling(headSize: heads.headSize, group: group)
            rowsPerTile = min(rowsPerTile, tiling.rowsPerTile)
            stateSize = max(stateSize, shape.queryHeadCount * (heads.headSize + 2))
        }
        tasks = AttentionTasks(limits: limits, rowsPerTile: rowsPerTile, partition: shapes.attentionPartition)
        states = try pool.allocate(byteCount: max(4, tasks.stateCount * stateSize * 4), for: .scratch)
    }

    /// The memory of `value`: whole rows, which it may share with other outputs of the same matrix.
    func range(_ value: ValueID) -> MemoryRange {
        let index = layout[value].storage
        guard index != layout.logitsStorage else { return logits }
        let storage = layout.storages[index]
        let arena = arenas[storage.arena]
        return MemoryRange(
            buffer: arena.buffer, byteOffset: arena.byteOffset + storage.byteOffset, byteCount: storage.byteCount)
    }
}

extension BatchLimits {
    /// Maximum number of rows of values with `rows`.
    func maxRowCount(_ rows: PlanRows) -> Int { rows == .tokens ? maxTokenCount : maxSampleCount }
}
