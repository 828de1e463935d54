public import SharedValues

/// The input of one step: the tokens, the slots of their keys and values, and the rows to sample.
///
/// The tokens of a sequence are neighbours. They have consecutive positions, the last of which is `contextLengths[s] - 1`.
public struct ForwardBatch: Sendable {
    /// Slots and block tables in one cache group. A *slot* is `block * blockSize + offset`.
    public struct Group: Sendable {
        public let cacheGroup: CacheGroup
        /// Slot that each token's key and value are written to, `[tokens]`.
        public private(set) var slots: [Int32] = []
        /// Block ids of all sequences, one table after another. A table has no blocks before the window of its first
        /// token: no token of the batch reads them.
        public private(set) var blockTables: [Int32] = []
        /// `blockTables[blockTableStarts[s] + position / blockSize]` is the block of a position of sequence `s`,
        /// `[sequences]`. Negative where more blocks before the window are left out than lie before the table.
        public private(set) var blockTableStarts: [Int32] = []

        init(_ cacheGroup: CacheGroup) {
            self.cacheGroup = cacheGroup
        }

        mutating func removeAll() {
            slots.removeAll(keepingCapacity: true)
            blockTables.removeAll(keepingCapacity: true)
            blockTableStarts.removeAll(keepingCapacity: true)
        }

        mutating func append(positions: Range<Int>, blocks: some RandomAccessCollection<Int32>) {
            let blockSize = cacheGroup.blockSize
            let needed = cacheGroup.blockCount(forTokens: positions.upperBound)
            precondition(blocks.count >= needed, "block table too short for \(positions.upperBound) tokens")
            func block(_ position: Int) -> Int32 {
                blocks[blocks.index(blocks.startIndex, offsetBy: position / blockSize)]
            }
            for position in positions {
                slots.append(
                    block(position) * Int32(truncatingIfNeeded: blockSize)
                        + Int32(truncatingIfNeeded: position % blockSize))
            }
            let unseenCount = cacheGroup.unseenBlockCount(after: positions.lowerBound)
            blockTableStarts.append(Int32(truncatingIfNeeded: blockTables.count - unseenCount))
            blockTables.append(contentsOf: blocks.prefix(needed).dropFirst(unseenCount))
        }
    }

    /// Token ids, `[tokens]`.
    public var tokenIDs: [Int32] = []
    /// Position of each token in its sequence, `[tokens]`.
    public var positions: [Int32] = []
    /// First token row of each sequence, and the token count at the end, `[sequences + 1]`.
    public var queryStarts: [Int32] = [0]
    /// Positions of each sequence that are in the cache after this batch, `[sequences]`.
    public var contextLengths: [Int32] = []
    /// The adapter slot of each token's sequence, -1 where it has none, `[tokens]`; empty where no sequence has one.
    public private(set) var adapterSlots: [Int32] = []
    /// One for each group of the cache's layout.
    public private(set) var groups: [Group]
    /// Token rows whose logits are requested, ascending, `[samples]`.
    public var sampleRows: [Int32] = []
    /// What the host wants of each sample row, `[samples]`; empty: the logits of every row.
    public var rowRequests: [RowRequest] = []

    /// An empty batch for a cache of these groups.
    public init(groups: [CacheGroup]) {
        self.groups = groups.map { Group($0) }
    }

    /// An empty batch for a cache of one group, whose block size comes with the first sequence.
    public init() { groups = [] }

    public var tokenCount: Int { tokenIDs.count }
    public var sequenceCount: Int { contextLengths.count }

    /// Whether its groups are those of `layout`.
    public func fits(_ layout: CacheLayout) -> Bool {
        groups.count == layout.groups.count && zip(groups, layout.groups).allSatisfy { $0.cacheGroup == $1 }
    }

    /// Empties the batch and keeps its storage.
    public mutating func removeAll() {
        tokenIDs.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        queryStarts.removeAll(keepingCapacity: true)
        queryStarts.append(0)
        contextLengths.removeAll(keepingCapacity: true)
        adapterSlots.removeAll(keepingCapacity: true)
        for index in groups.indices { groups[index].removeAll() }
        sampleRows.removeAll(keepingCapacity: true)
        rowRequests.removeAll(keepingCapacity: true)
    }

    /// Appends a sequence's next tokens. `firstPosition + tokens.count` becomes its context length. `blocks` has a list for
    /// each group. Precondition: it covers the context, apart from blocks before the window of the first token, which may
    /// have any value. `adapterSlot` is the slot of its adapter, if it has one.
    public mutating func append(
        tokens: some Collection<Int32>, firstPosition: Int, blocks: [[Int32]], adapterSlot: Int? = nil
    ) {
        precondition(blocks.count == groups.count, "\(blocks.count) block tables for \(groups.count) cache groups")
        let end = append(tokens, firstPosition: firstPosition)
        setAdapter(adapterSlot, ofLast: tokens.count)
        for index in groups.indices { groups[index].append(positions: firstPosition..<end, blocks: blocks[index]) }
    }

    /// The same for a cache of one group without a window, in blocks of `blockSize` tokens.
    public mutating func append(
        tokens: some Collection<Int32>, firstPosition: Int, blocks: some RandomAccessCollection<Int32>, blockSize: Int
    ) {
        if groups.isEmpty { groups = [Group(CacheGroup(blockSize: blockSize))] }
        precondition(
            groups.count == 1 && groups[0].cacheGroup == CacheGroup(blockSize: blockSize),
            "sequences of one batch have the same cache groups")
        let end = append(tokens, firstPosition: firstPosition)
        setAdapter(nil, ofLast: tokens.count)
        groups[0].append(positions: firstPosition..<end, blocks: blocks)
    }

    private mutating func setAdapter(_ slot: Int?, ofLast count: Int) {
        if adapterSlots.isEmpty {
            guard slot != nil else { return }
            for _ in 0..<tokenIDs.count - count { adapterSlots.append(-1) }
        }
        for _ in 0..<count { adapterSlots.append(Int32(truncatingIfNeeded: slot ?? -1)) }
    }

    /// Appends what does not depend on the groups, and returns the context length.
    private mutating func append(_ tokens: some Collection<Int32>, firstPosition: Int) -> Int {
        var position = firstPosition
        for token in tokens {
            tokenIDs.append(token)
            positions.append(Int32(truncatingIfNeeded: position))
            position += 1
        }
        queryStarts.append(Int32(truncatingIfNeeded: tokenIDs.count))
        contextLengths.append(Int32(truncatingIfNeeded: position))
        return position
    }
}
