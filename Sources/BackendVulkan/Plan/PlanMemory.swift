import Backends

/// Everything of a plan that lies on the device before the cache is known: weights, values, sums in waiting, logits.
struct PlanMemory {
    let plan: ForwardPlan
    let limits: BatchLimits
    /// Bytes of the integers that packed weights are multiplied with; nil where activations are floats.
    let limbCount: Int?
    let steps: [FusedOperation]
    let layout: ValueLayout
    let weights: PlanWeights
    let tasks: AttentionTasks
    /// Sums of attention that wait for their reduction.
    let states: MemoryRange
    let logits: MemoryRange
    /// The most likely tokens of segments of the logits; nil where the host looks for them.
    let segments: MemoryRange?
    private let arenas: [MemoryRange]

    /// Uploads the weights of `steps`, which are `plan`'s, and takes scratch memory, all from `pool`.
    init(
        _ plan: ForwardPlan, _ steps: [FusedOperation], limits: BatchLimits, limbCount: Int?, pool: MemoryPool,
        shapes: KernelShapes, capabilities: DeviceCapabilities
    ) throws(BackendError) {
        self.limits = limits
        self.limbCount = limbCount
        let maxRange = capabilities.longestRangeByteCount
        var plan = plan
        var steps = OperationFusion.reordering(steps, in: &plan)
        if let limbCount { steps = try OperationFusion.quantizingInputs(steps, limbCount: limbCount, in: &plan) }
        self.steps = steps
        self.plan = plan
        weights = try PlanWeights(
            steps: steps, plan: plan, limits: limits, maxRangeByteCount: maxRange, pool: pool)
        layout = ValueLayout(steps: steps, plan: plan, limits: limits, maxRangeByteCount: maxRange)
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

        var rowsPerTile = 16
        var stateSize = 0
        for case .attention(let layer, _, let shape, _, _) in steps {
            let heads = plan.cacheLayers[layer]
            let group = shape.queryHeadCount / heads.keyValueHeadCount
            let tiling = try shapes.attentionTiling(headSize: heads.headSize, group: group)
            rowsPerTile = min(rowsPerTile, tiling.rowsPerTile)
            stateSize = max(stateSize, shape.queryHeadCount * (heads.headSize + 2))
        }
        tasks = AttentionTasks(limits: limits, rowsPerTile: rowsPerTile, partition: shapes.attentionPartition)
        states = try pool.allocate(byteCount: max(4, tasks.stateCount * stateSize * 4), for: .scratch)
    }

    /// The rows that `value` shares with the values made together with it.
    func range(_ value: ValueID) -> MemoryRange {
        let index = layout[value].storage
        guard index != layout.logitsStorage else { return logits }
        let storage = layout.storages[index]
        let arena = arenas[storage.arena]
        return MemoryRange(
            buffer: arena.buffer, byteOffset: arena.byteOffset + storage.byteOffset, byteCount: storage.byteCount)
    }
}
