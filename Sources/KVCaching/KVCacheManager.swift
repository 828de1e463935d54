public import SharedValues

/// The one block manager: allocates blocks to sequences, shares full ones between equal prefixes, and frees them.
///
/// It knows no bytes and no requests. All cache groups take their blocks from one pool, and a sequence gets the blocks of
/// all groups or none. Freed blocks stay findable until they are reused, least recently freed first, the tail of a
/// sequence before its head. With a swap space, the content of a block that is reused moves there and stays findable, and
/// so can whole sequences: see `takeMoves`.
public struct KVCacheManager: ~Copyable, Sendable {
    /// The cache groups; at least one.
    public let groups: [CacheGroup]
    /// Tokens in a block, of the groups the most: a cached prefix is a multiple of it.
    public let blockSize: Int
    /// Whether full blocks are shared between equal prefixes.
    public let isPrefixCachingEnabled: Bool
    var pool: BlockPool
    var swapSpace: SwapSpace
    var prefixes: PrefixCache
    /// Blocks that a waiting copy reads.
    var copiedBlocks: [BlockID] = []
    /// Tokens found in the swap space by their prefix since the start.
    var swappedHitTokenCount = 0

    /// A manager of `blockCount` free blocks, and of `swapBlockCount` in the swap space.
    public init(
        blockCount: Int, groups: [CacheGroup], isPrefixCachingEnabled: Bool = true, swapBlockCount: Int = 0
    ) {
        precondition(blockCount > 0 && blockCount < Int(Int32.max), "\(blockCount) blocks")
        precondition(swapBlockCount >= 0 && swapBlockCount < Int(Int32.max), "\(swapBlockCount) blocks to swap to")
        precondition(!groups.isEmpty, "a cache without groups")
        self.groups = groups
        self.isPrefixCachingEnabled = isPrefixCachingEnabled
        blockSize = groups.map(\.blockSize).max() ?? 1
        pool = BlockPool(blockCount: blockCount)
        swapSpace = SwapSpace(blockCount: swapBlockCount)
        prefixes = PrefixCache(
            groupCount: groups.count, blockSize: groups.map(\.blockSize).min() ?? 1, blockCount: blockCount,
            swapBlockCount: swapBlockCount)
    }

    /// A manager of one group.
    public init(
        blockCount: Int, blockSize: Int, isPrefixCachingEnabled: Bool = true, swapBlockCount: Int = 0,
        slidingWindow: Int? = nil
    ) {
        self.init(
            blockCount: blockCount, groups: [CacheGroup(blockSize: blockSize, slidingWindow: slidingWindow)],
            isPrefixCachingEnabled: isPrefixCachingEnabled, swapBlockCount: swapBlockCount)
    }

    /// All blocks of the device.
    public var blockCount: Int { pool.blockCount }
    /// Blocks that no table references; they may still hold findable prefixes.
    public var freeBlockCount: Int { pool.freeCount }
    /// Blocks that hold findable prefixes, referenced or not.
    public var cachedBlockCount: Int { prefixes.count }

    // MARK: A sequence's blocks

    /// How many leading tokens of `tokens` are cached, and never all of them, so that at least one token is left to
    /// compute logits from.
    public func cachedPrefixCount(of tokens: [Int32], salt: String?) -> Int {
        matchPrefix(of: tokens, salt: salt).tokenCount
    }

    /// Starts an empty table with the cached blocks of `tokens` and room for `newTokenCount(cached)` tokens more.
    /// Returns how many tokens are cached, or nil, with nothing changed, when there is no room or `newTokenCount` is nil.
    /// Blocks that are cached in the swap space only are brought back by `takeMoves`.
    public mutating func begin(
        _ table: inout BlockTable, tokens: [Int32], salt: String?, roomFor newTokenCount: (Int) -> Int?
    ) -> Int? {
        precondition(table.isEmpty, "a table that has begun cannot begin again")
        let match = matchPrefix(of: tokens, salt: salt)
        let cachedCount = match.tokenCount
        guard let newCount = newTokenCount(cachedCount) else { return nil }
        let unseenCounts = groups.map { $0.unseenBlockCount(after: cachedCount) }
        let contents = groups.indices.map { self.contents(of: match, group: $0, after: unseenCounts[$0]) }
        let missing = groups.map { $0.blockCount(forTokens: cachedCount + newCount) - cachedCount / $0.blockSize }
        guard hasRoom(for: contents, and: missing) else { return nil }
        table.prefix = match.node
        table.registeredCount = match.path.count
        let swappedCounts = zip(groups, contents).map { $0.blockSize * $1.count { $0.block == nil } }
        swappedHitTokenCount += swappedCounts.max() ?? 0
        fill(&table, with: contents, after: unseenCounts)
        take(missing, into: &table)
        return cachedCount
    }

    /// Starts an empty table with the blocks that `parent` holds of all `tokens` but the last, which is left to compute
    /// logits from, and room for `newTokenCount` tokens more. Full blocks are shared. The last block of a group, if it is
    /// partly filled, is copied, because the table is about to write to it; `takeMoves` returns the copy. Returns nil where
    /// `parent` no longer holds all of these blocks, false where there is no room; nothing is changed then. Precondition:
    /// `parent` was computed from the same tokens.
    public mutating func fork(
        _ table: inout BlockTable, from parent: BlockTable, tokens: [Int32], roomFor newTokenCount: Int
    ) -> Bool? {
        precondition(table.isEmpty, "a table that has begun cannot begin again")
        let tokenCount = tokens.count - 1
        guard holds(parent, tokenCount: tokenCount) else { return nil }
        let unseenCounts = groups.map { $0.unseenBlockCount(after: tokenCount) }
        for (index, group) in groups.enumerated() {
            let fullCount = tokenCount / group.blockSize
            guard parent.unseenCounts[index] <= unseenCounts[index],
                // A block that another move of the same step fills cannot be copied in that step.
                tokenCount % group.blockSize == 0 || !swapSpace.isFilled(parent.blocks[index][fullCount])
            else { return nil }
        }
        let missing = groups.map { $0.blockCount(forTokens: tokenCount + newTokenCount) - tokenCount / $0.blockSize }
        guard missing.reduce(0, +) <= pool.freeCount else { return false }
        table.unseenCounts = unseenCounts
        table.blocks = unseenCounts.map { Array(repeating: BlockTable.none, count: $0) }
        for (index, group) in groups.enumerated() {
            for block in parent.blocks[index][unseenCounts[index]..<tokenCount / group.blockSize] {
                pool.retain(block)
                table.blocks[index].append(block)
            }
        }
        take(missing, into: &table)
        for (index, group) in groups.enumerated() where tokenCount % group.blockSize > 0 {
            let last = tokenCount / group.blockSize
            let source = parent.blocks[index][last]
            // The block must not be reused before the copy is made, even if the parent is freed.
            pool.retain(source)
            copiedBlocks.append(source)
            swapSpace.copy(source, to: table.blocks[index][last])
        }
        return true
    }

    /// Makes room in `table` for `tokenCount` tokens in all: every block that is missing, or none.
    /// Returns false, with nothing changed, when there is no room.
    public mutating func extend(_ table: inout BlockTable, toTokens tokenCount: Int) -> Bool {
        var missing = 0
        for (index, group) in groups.enumerated() {
            missing += max(0, group.blockCount(forTokens: tokenCount) - table.blocks[index].count)
        }
        guard missing > 0 else { return true }
        guard missing <= pool.freeCount else { return false }
        for (index, group) in groups.enumerated() {
            take(group.blockCount(forTokens: tokenCount) - table.blocks[index].count, into: &table, group: index)
        }
        return true
    }

    /// Frees all blocks of `table`, of both pools, and empties it.
    public mutating func free(_ table: inout BlockTable) {
        if !table.blocks.isEmpty { release(table.blocks) { $0.pool.release($1) } }
        if table.isSwappedOut { release(table.swappedBlocks) { $0.swapSpace.release($1) } }
        table = BlockTable()
    }

    /// Frees the blocks of `table` that no token from `computedCount` on attends to: those wholly before the window of the
    /// next token. They stay findable until they are reused. Call `register` first.
    public mutating func freeUnseen(_ table: inout BlockTable, computedCount: Int) {
        for (index, group) in groups.enumerated() where group.slidingWindow != nil {
            let unseenCount = group.unseenBlockCount(after: computedCount)
            guard unseenCount > table.unseenCounts[index] else { continue }
            for position in (table.unseenCounts[index]..<unseenCount).reversed() {
                pool.release(table.blocks[index][position])
                table.blocks[index][position] = BlockTable.none
            }
            table.unseenCounts[index] = unseenCount
        }
    }

    /// Whether `table` has the blocks of the first `tokenCount` tokens: at least these on the device, exactly these in the
    /// swap space.
    public func holds(_ table: BlockTable, tokenCount: Int) -> Bool {
        let counts = groups.map { $0.blockCount(forTokens: tokenCount) }
        if table.isSwappedOut { return table.swappedBlocks.map(\.count) == counts }
        return table.blocks.count == counts.count && zip(table.blocks, counts).allSatisfy { $0.count >= $1 }
    }

    // MARK: Capacity

    /// The maximum number of blocks that a sequence holds at once until it has `tokenCount` tokens, of which a step computes
    /// at most `chunkTokenCount`.
    public func maximumBlockCount(forTokens tokenCount: Int, chunkTokenCount: Int) -> Int {
        groups.maximumBlockCount(forTokens: tokenCount, chunkTokenCount: chunkTokenCount)
    }

    /// Tokens that fit into the free blocks, before any block behind a sliding window is freed.
    public var freeTokenCount: Int { groups.tokenCount(inBlocks: freeBlockCount) }
    /// Tokens that fit into all blocks, before any block behind a sliding window is freed.
    public var capacityTokenCount: Int { groups.tokenCount(inBlocks: blockCount) }

    // MARK: Free blocks

    /// Releases the blocks of all groups, those of the last positions first: the tail of a prefix is less likely to be
    /// shared, so it is reused earlier.
    mutating func release(_ lists: [[BlockID]], _ release: (inout Self, BlockID) -> Void) {
        let step = prefixes.blockSize
        var end = zip(groups, lists).map { $0.blockSize * $1.count }.max() ?? 0
        while end > 0 {
            for (index, group) in groups.enumerated() where end % group.blockSize == 0 {
                let position = end / group.blockSize - 1
                guard position < lists[index].count, lists[index][position] != BlockTable.none else { continue }
                release(&self, lists[index][position])
            }
            end -= step
        }
    }

    /// Appends free blocks: for each group its number. Precondition: so many are free.
    mutating func take(_ counts: [Int], into table: inout BlockTable) {
        for (index, count) in counts.enumerated() { take(count, into: &table, group: index) }
    }

    private mutating func take(_ count: Int, into table: inout BlockTable, group: Int) {
        for _ in 0..<max(count, 0) { table.blocks[group].append(takeBlock()) }
    }

    /// Takes the block that was free longest; its content moves to the swap space, if it is findable.
    mutating func takeBlock() -> BlockID {
        guard let block = pool.take() else { preconditionFailure("the caller has counted the free blocks") }
        evict(block)
        return block
    }
}
