public import Backends
import KVCaching
public import SharedValues

/// Runs known tokens through a plan, chunk by chunk into the paged cache, and lends the logits after each of them, for
/// perplexities. The plan must serve nothing else meanwhile.
public struct SequenceScorer {
    private let plan: any PreparedPlan
    private let groups: [CacheGroup]
    private let blockCount: Int
    private let chunkTokenCount: Int
    /// The longest sequence that can be scored.
    public let maxTokenCount: Int
    private let adapterSlot: Int?
    private var batch: ForwardBatch

    /// A scorer on `plan`, whose cache has `blockCount` blocks for these groups, that asks for `chunkTokenCount` rows at
    /// once. Precondition: the plan was prepared for batches of so many tokens and samples, and the cache holds a sequence
    /// of `maxTokenCount`. The sequences have the adapter in `adapterSlot`, if it is given.
    public init(
        plan: any PreparedPlan, blockCount: Int, groups: [CacheGroup], chunkTokenCount: Int, maxTokenCount: Int,
        adapterSlot: Int? = nil
    ) {
        precondition(chunkTokenCount > 0, "a chunk has tokens")
        precondition(
            groups.maximumBlockCount(forTokens: maxTokenCount, chunkTokenCount: chunkTokenCount) <= blockCount,
            "a cache too small for \(maxTokenCount) tokens")
        self.plan = plan
        self.groups = groups
        self.blockCount = blockCount
        self.chunkTokenCount = chunkTokenCount
        self.maxTokenCount = maxTokenCount
        self.adapterSlot = adapterSlot
        batch = ForwardBatch(groups: groups)
    }

    /// Lends `body` each position with the logits of what follows it, `[vocabularySize]`, in order.
    /// Throws what the device throws. Precondition: `tokens` has at most `maxTokenCount`.
    public mutating func score(
        _ tokens: [Int32], _ body: (Int, UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws {
        precondition(tokens.count <= maxTokenCount, "\(tokens.count) tokens where \(maxTokenCount) fit")
        var cache = KVCacheManager(blockCount: blockCount, groups: groups, isPrefixCachingEnabled: false)
        var table = BlockTable()
        var first = 0
        while first < tokens.count {
            let last = min(first + chunkTokenCount, tokens.count)
            let hasRoom =
                first == 0
                ? cache.begin(&table, tokens: tokens, salt: nil, roomFor: { _ in last }) == 0
                : cache.extend(&table, toTokens: last)
            precondition(hasRoom, "the cache holds a sequence of this length")
            batch.removeAll()
            batch.append(
                tokens: tokens[first..<last], firstPosition: first, blocks: table.blocks, adapterSlot: adapterSlot)
            batch.sampleRows = (0..<last - first).map { Int32(truncatingIfNeeded: $0) }
            try plan.submit(batch)
            let rows = try plan.wait()
            for row in 0..<rows.rowCount {
                try rows.withRow(row) { try body(first + row, $0) }
            }
            first = last
            cache.freeUnseen(&table, computedCount: first)
        }
    }
}
