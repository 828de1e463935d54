/// The input of one step: the tokens, the slots of their keys and values, and the rows to sample.
///
/// The tokens of a sequence are neighbours. They have consecutive positions, the last of which is `contextLengths[s] - 1`. A *slot* is `block * blockSize + offset`.
public struct ForwardBatch: Sendable {
    /// Token ids, `[tokens]`.
    public var tokenIDs: [Int32] = []
    /// Position of each token in its sequence, `[tokens]`.
    public var positions: [Int32] = []
    /// Slot that each token's key and value are written to, `[tokens]`.
    public var slots: [Int32] = []
    /// First token row of each sequence, and the token count at the end, `[sequences + 1]`.
    public var queryStarts: [Int32] = [0]
    /// Positions of each sequence that are in the cache after this batch, `[sequences]`.
    public var contextLengths: [Int32] = []
    /// Block ids of all sequences, one table after another. Ids of blocks that are below the sliding window are not read
    /// and may have any value.
    public var blockTables: [Int32] = []
    /// The index of each sequence's table in `blockTables`, and the count of `blockTables` at the end, `[sequences + 1]`.
    public var blockTableStarts: [Int32] = [0]
    /// Token rows whose logits are requested, ascending, `[samples]`.
    public var sampleRows: [Int32] = []
    /// What the host wants of each sample row, `[samples]`; empty: the logits of every row.
    public var rowRequests: [RowRequest] = []

    public init() {}

    public var tokenCount: Int { tokenIDs.count }
    public var sequenceCount: Int { contextLengths.count }

    /// Empties the batch and keeps its storage.
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
