public import Backends
import SharedValues

/// Runs known tokens through a plan, chunk by chunk into the paged cache, and lends the logits after each of them, for
/// perplexities. The plan must serve nothing else meanwhile.
public struct SequenceScorer {
    private let plan: any PreparedPlan
    private let blocks: [Int32]
    private let blockSize: Int
    private let chunkTokenCount: Int
    /// The longest sequence that can be scored.
    public let maxTokenCount: Int
    private var batch = ForwardBatch()

    /// A scorer on `plan`, whose cache has `blockCount` blocks of `blockSize` tokens, that asks for `chunkTokenCount`
    /// rows at once. Precondition: the plan was prepared for batches of so many tokens and samples, and the cache holds
    /// a sequence of `maxTokenCount`.
    public init(
        plan: any PreparedPlan, blockCount: Int, blockSize: Int, chunkTokenCount: Int, maxTokenCount: Int
    ) {
        precondition(chunkTokenCount > 0, "a chunk has tokens")
        precondition(maxTokenCount <= blockCount * blockSize, "a cache too small for \(maxTokenCount) tokens")
        self.plan = plan
        blocks = (0..<blockCount).map { Int32(truncatingIfNeeded: $0) }
        self.blockSize = blockSize
        self.chunkTokenCount = chunkTokenCount
        self.maxTokenCount = maxTokenCount
    }

    /// Lends `body` each position with the logits of what follows it, `[vocabularySize]`, in order.
    /// Throws what the device throws. Precondition: `tokens` has at most `maxTokenCount`.
    public mutating func score(
        _ tokens: [Int32], _ body: (Int, UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws {
        precondition(tokens.count <= maxTokenCount, "\(tokens.count) tokens where \(maxTokenCount) fit")
        var first = 0
        while first < tokens.count {
            let last = min(first + chunkTokenCount, tokens.count)
            batch.removeAll()
            batch.append(
                tokens: tokens[first..<last], firstPosition: first,
                blocks: blocks.prefix(last.dividedUp(by: blockSize)), blockSize: blockSize)
            batch.sampleRows = (0..<last - first).map { Int32(truncatingIfNeeded: $0) }
            try plan.submit(batch)
            let rows = try plan.wait()
            for row in 0..<rows.rowCount {
                try rows.withRow(row) { try body(first + row, $0) }
            }
            first = last
        }
    }
}
