/// What one run of a plan is about: which tokens, where their keys and values go, which rows to sample.
///
/// Sequences lie one after another; a sequence's tokens are consecutive positions, the last of them
/// `contextLengths[s] - 1`. A *slot* is `block * blockSize + offset`.
public struct ForwardBatch: Sendable {
    /// Token ids, `[tokens]`.
    public var tokenIDs: [Int32] = []
    /// Position of each token in its sequence, `[tokens]`.
    public var positions: [Int32] = []
    /// Slot that each token's key and value are written to, `[tokens]`.
    public var slots: [Int32] = []
    /// First token row of each sequence, and the token count at the end, `[sequences + 1]`.
    public var queryStarts: [Int32] = [0]
    /// Positions of each sequence that are in the cache once this batch has run, `[sequences]`.
    public var contextLengths: [Int32] = []
    /// Block ids of all sequences, one table after another; -1, or anything else, for a block that no query sees
    /// through its sliding window.
    public var blockTables: [Int32] = []
    /// Where each sequence's table begins in `blockTables`, and its count at the end, `[sequences + 1]`.
    public var blockTableStarts: [Int32] = [0]
    /// Token rows whose logits are wanted, ascending, `[samples]`.
    public var sampleRows: [Int32] = []
    /// What the host wants of each sample row, `[samples]`; empty: the logits of every row.
    public var rowRequests: [RowRequest] = []

    /// An empty batch.
    public init() {}

    /// Tokens in the batch.
    public var tokenCount: Int { tokenIDs.count }
    /// Sequences in the batch.
    public var sequenceCount: Int { contextLengths.count }

    /// Forgets the batch and keeps its storage.
    public mutating func removeAll() {
        tokenIDs.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
        queryStarts.removeAll(keepingCapacity: true)
        queryStarts.append(0)
        contextLengths.removeAll(keepingCapacity: true)
        blockTables.removeAll(keepingCapacity: true)
        blockTableStarts.removeAll(keepingCapacity: true)
        blockTableStarts.append(0)
        sampleRows.removeAll(keepingCapacity: true)
        rowRequests.removeAll(keepingCapacity: true)
    }

    /// Appends a sequence's next tokens. `firstPosition + tokens.count` becomes its context length.
    /// Precondition: `blocks` covers the context.
    @inlinable
    public mutating func append(
        tokens: some Collection<Int32>, firstPosition: Int, blocks: some RandomAccessCollection<Int32>, blockSize: Int
    ) {
        let contextLength = firstPosition + tokens.count
        precondition(blocks.count * blockSize >= contextLength, "block table too short for \(contextLength) tokens")
        var position = firstPosition
        for token in tokens {
            let block = blocks[blocks.index(blocks.startIndex, offsetBy: position / blockSize)]
            tokenIDs.append(token)
            positions.append(Int32(truncatingIfNeeded: position))
            slots.append(block * Int32(truncatingIfNeeded: blockSize) + Int32(truncatingIfNeeded: position % blockSize))
            position += 1
        }
        queryStarts.append(Int32(truncatingIfNeeded: tokenIDs.count))
        contextLengths.append(Int32(truncatingIfNeeded: contextLength))
        blockTables.append(contentsOf: blocks)
        blockTableStarts.append(Int32(truncatingIfNeeded: blockTables.count))
    }
}
