import Backends
import SharedValues
import Tensors

/// A case's plan, prepared on poisoned memory of one backend.
struct Trial {
    private let plan: ForwardPlan
    private let pool: MemoryPool
    private let swapPool: MemoryPool
    private let prepared: any PreparedPlan
    private let cacheType: CacheType
    private let lengths: [Int]
    private let tokens: [[Int32]]
    private let adapterSlots: [Int?]

    /// Logits of every token, `[sequence][position][vocabularySize]`.
    typealias Logits = [[[Float]]]

    init(_ trial: ConformanceCase, on backend: any Backend) throws(BackendError) {
        plan = trial.plan
        cacheType = trial.cacheType
        tokens = trial.sequences.map(\.tokens)
        lengths = tokens.map(\.count)
        let poisoned = PoisonedBackend(backend)
        pool = MemoryPool(device: poisoned, budgetByteCount: 1 << 32, chunkByteCount: 1 << 20)
        swapPool = MemoryPool(device: poisoned, budgetByteCount: 1 << 32, chunkByteCount: 1 << 20)
        adapterSlots = trial.adapterSlots.isEmpty ? lengths.map { _ in nil } : trial.adapterSlots
        let total = lengths.reduce(0, +)
        prepared = try poisoned.prepare(
            trial.plan,
            limits: BatchLimits(
                maxTokenCount: total, maxSequenceCount: lengths.count, maxSampleCount: total,
                maxContextLength: lengths.max() ?? 0), pool: pool)
        // Each slot has held something else before.
        let slots = trial.adapters.keys.sorted()
        for (slot, other) in zip(slots, slots.reversed()) {
            try prepared.setAdapter(trial.adapters[other] ?? [:], slot: slot)
        }
        for slot in slots { try prepared.setAdapter(trial.adapters[slot] ?? [:], slot: slot) }
    }

    /// Computes the sequences with a new cache, step by step as `schedule` says. Also returns the slots that changed
    /// although no token of the step belongs to them.
    func run(_ schedule: TrialSchedule) throws(BackendError) -> (logits: Logits, strayWrites: [String]) {
        var random = SplitMix64(seed: schedule.seed)
        let layout = CacheLayout(plan, blockSize: schedule.blockSize, type: cacheType)
        let blockCounts = lengths.map { length in layout.groups.map { $0.blockCount(forTokens: length) } }
        let blockCount = blockCounts.joined().reduce(0, +) + 3
        let cache = try KVCacheMemory(
            layout, blockCount: blockCount, pool: pool, swapBlockCount: schedule.isMoving ? blockCount / 2 : 0,
            swapPool: swapPool)
        try prepared.attach(cache)
        var free = (0..<Int32(blockCount)).shuffled(using: &random)
        // For each sequence and cache group.
        var tables = blockCounts.map { $0.map { count in (0..<count).map { _ in free.removeLast() } } }
        var shuffle = BlockShuffle(cache, free: free)

        var logits = lengths.map { [[Float]](repeating: [], count: $0) }
        var strayWrites: [String] = []
        var computed = lengths.map { _ in 0 }
        for step in schedule.steps {
            if schedule.isMoving { try shuffle.shuffle(&tables, on: prepared, &random) }
            var batch = ForwardBatch(groups: layout.groups)
            var origin: [(sequence: Int, position: Int)] = []
            for part in step {
                let first = computed[part.sequence]
                for (index, group) in layout.groups.enumerated() {
                    // The block manager frees blocks before the window, so no query may read them.
                    for block in 0..<group.unseenBlockCount(after: first) { tables[part.sequence][index][block] = -1 }
                }
                let range = first..<first + part.tokenCount
                batch.append(
                    tokens: tokens[part.sequence][range], firstPosition: first, blocks: tables[part.sequence],
                    adapterSlot: adapterSlots[part.sequence])
                origin += range.map { (part.sequence, $0) }
                computed[part.sequence] += part.tokenCount
            }
            batch.sampleRows = batch.tokenIDs.indices.map { Int32($0) }
            let before = try CacheSnapshot(cache)
            try prepared.submit(batch)
            let sampled = try prepared.wait()
            strayWrites += try before.strayWrites(in: cache, of: batch)
            for (row, source) in origin.enumerated() {
                logits[source.sequence][source.position] = sampled.withRow(row) { Array($0) }
            }
        }
        return (logits, strayWrites)
    }
}
