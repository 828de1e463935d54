import SharedValues

/// The one block manager: allocates blocks to sequences, shares full ones between equal prefixes, and frees them.
///
/// It knows no bytes and no requests. A *slot* is `block * blockSize + offset`. Freed blocks stay findable until they
/// are reused, least recently freed first, the tail of a sequence before its head. With a swap space, the content of a
/// block that is reused moves there and stays findable, and so can whole sequences: see `takeMoves`.
public struct KVCacheManager: ~Copyable, Sendable {
    /// Tokens in a block.
    public let blockSize: Int
    /// Whether full blocks are shared between equal prefixes.
    public let isPrefixCachingEnabled: Bool
    /// Positions that a token attends to, its own included, where every layer of the model has a sliding window; nil: all.
    public let slidingWindow: Int?
    var pool: BlockPool
    var swapSpace: SwapSpace
    var prefixes = PrefixCache()
    /// Blocks that a waiting copy reads.
    var copiedBlocks: [BlockID] = []
    /// Blocks found in the swap space by their prefix since the start.
    var swappedHitCount = 0

    /// A manager of `blockCount` free blocks, and of `swapBlockCount` in the swap space. Precondition: `blockSize` is a
    /// power of two from 1 to 256.
    public init(
        blockCount: Int, blockSize: Int, isPrefixCachingEnabled: Bool = true, swapBlockCount: Int = 0,
        slidingWindow: Int? = nil
    ) {
        precondition(blockCount > 0 && blockCount < Int(Int32.max), "\(blockCount) blocks")
        precondition(swapBlockCount >= 0 && swapBlockCount < Int(Int32.max), "\(swapBlockCount) blocks to swap to")
        precondition((1...256).contains(blockSize) && blockSize & (blockSize - 1) == 0, "block size \(blockSize)")
        self.blockSize = blockSize
        self.isPrefixCachingEnabled = isPrefixCachingEnabled
        self.slidingWindow = slidingWindow
        pool = BlockPool(blockCount: blockCount)
        swapSpace = SwapSpace(blockCount: swapBlockCount)
    }

    /// All blocks of the device.
    public var blockCount: Int { pool.blockCount }
    /// Blocks that no table references; they may still hold findable prefixes.
    public var freeBlockCount: Int { pool.freeCount }
    /// Blocks that hold findable prefixes, referenced or not.
    public var cachedBlockCount: Int { prefixes.count }

    /// Blocks that hold `tokenCount` tokens.
    public func blockCount(forTokens tokenCount: Int) -> Int { tokenCount.dividedUp(by: blockSize) }

    /// How many leading tokens of `tokens` are cached: whole blocks, and never all of them, so that at least one
    /// token is left to compute logits from.
    public func cachedPrefixCount(of tokens: [Int32], salt: String?) -> Int {
        matchPrefix(of: tokens, salt: salt).count * blockSize
    }

    /// Starts an empty table with the cached blocks of `tokens` and room for `newTokenCount(cached)` tokens more.
    /// Returns how many tokens are cached, or nil, with nothing changed, when there is no room or `newTokenCount` is nil.
    /// Blocks that are cached in the swap space only are brought back by `takeMoves`.
    public mutating func begin(
        _ table: inout BlockTable, tokens: [Int32], salt: String?, roomFor newTokenCount: (Int) -> Int?
    ) -> Int? {
        precondition(table.isEmpty, "a table that has begun cannot begin again")
        let match = matchPrefix(of: tokens, salt: salt)
        let cachedCount = match.count * blockSize
        guard let newCount = newTokenCount(cachedCount) else { return nil }
        let newBlockCount = blockCount(forTokens: cachedCount + newCount) - match.count
        let unseenCount = unseenBlockCount(after: cachedCount)
        let content = match[unseenCount...]
        guard hasRoom(forContentOf: content, and: newBlockCount) else { return nil }
        table.registeredCount = match.count
        table.chain = match.last?.chain ?? .root
        swappedHitCount += content.count { $0.block == nil }
        fill(&table, with: content, after: unseenCount)
        take(newBlockCount, into: &table)
        return cachedCount
    }

    /// Starts an empty table with the blocks that `parent` holds of all `tokens` but the last, which is left to compute
    /// logits from, and room for `newTokenCount` tokens more. Full blocks are shared. The last, partly filled block is
    /// copied, because the table is about to write to it; `takeMoves` returns the copy. Returns nil where `parent` no longer
    /// holds all of these blocks, false where there is no room; nothing is changed then. Precondition: `parent` was
    /// computed from the same tokens.
    public mutating func fork(
        _ table: inout BlockTable, from parent: BlockTable, tokens: [Int32], salt: String?, roomFor newTokenCount: Int
    ) -> Bool? {
        precondition(table.isEmpty, "a table that has begun cannot begin again")
        let tokenCount = tokens.count - 1
        let fullCount = tokenCount / blockSize
        let unseenCount = unseenBlockCount(after: tokenCount)
        let isCopying = tokenCount % blockSize > 0
        let match = matchPrefix(of: tokens, salt: salt)
        guard parent.blocks.count >= blockCount(forTokens: tokenCount), parent.unseenCount <= unseenCount,
            match.count >= unseenCount,
            // A block that another move of the same step fills cannot be copied in that step.
            !isCopying || !swapSpace.isFilled(parent.blocks[fullCount])
        else { return nil }
        let newBlockCount = blockCount(forTokens: tokenCount + newTokenCount) - fullCount
        guard newBlockCount <= pool.freeCount else { return false }
        table.blocks = Array(repeating: BlockTable.none, count: unseenCount)
        table.unseenCount = unseenCount
        table.registeredCount = match.count
        table.chain = match.last?.chain ?? .root
        for block in parent.blocks[unseenCount..<fullCount] {
            pool.retain(block)
            table.blocks.append(block)
        }
        take(newBlockCount, into: &table)
        if isCopying {
            let source = parent.blocks[fullCount]
            // The block must not be reused before the copy is made, even if the parent is freed.
            pool.retain(source)
            copiedBlocks.append(source)
            swapSpace.copy(source, to: table.blocks[fullCount])
        }
        return true
    }
    /// Makes room in `table` for `tokenCount` tokens in all: every block that is missing, or none.
    /// Returns false, with nothing changed, when there is no room.
    public mutating func extend(_ table: inout BlockTable, toTokens tokenCount: Int) -> Bool {
        let missing = blockCount(forTokens: tokenCount) - table.blocks.count
        guard missing > 0 else { return true }
        guard missing <= pool.freeCount else { return false }
        take(missing, into: &table)
        return true
    }

    /// Makes the blocks that the first `computedCount` of `tokens` have filled findable.
    public mutating func register(_ table: inout BlockTable, tokens: [Int32], computedCount: Int, salt: String?) {
        guard isPrefixCachingEnabled else { return }
        while (table.registeredCount + 1) * blockSize <= computedCount {
            let index = table.registeredCount
            table.chain = prefixes.register(
                table.blocks[index], tokens[index * blockSize..<(index + 1) * blockSize], after: table.chain, salt: salt
            )
            table.registeredCount += 1
        }
    }

    /// Frees all blocks of `table`, of both pools, and empties it.
    public mutating func free(_ table: inout BlockTable) {
        // Last block first: the tail of a prefix is less likely to be shared, so it is reused earlier.
        for block in table.blocks.reversed() where block != BlockTable.none { pool.release(block) }
        for block in table.swappedBlocks.reversed() where block != BlockTable.none { swapSpace.release(block) }
        table = BlockTable()
    }

    /// Frees the blocks of `table` that no token from `computedCount` on attends to: those wholly below the window of the
    /// next token. They stay findable until they are reused. Call `register` first.
    public mutating func freeUnseen(_ table: inout BlockTable, computedCount: Int) {
        let unseenCount = unseenBlockCount(after: computedCount)
        guard unseenCount > table.unseenCount else { return }
        for index in (table.unseenCount..<unseenCount).reversed() {
            pool.release(table.blocks[index])
            table.blocks[index] = BlockTable.none
        }
        table.unseenCount = unseenCount
    }

    func unseenBlockCount(after computedCount: Int) -> Int {
        guard let slidingWindow else { return 0 }
        return max(0, computedCount - slidingWindow + 1) / blockSize
    }

    /// Makes every cached prefix unfindable.
    public mutating func forgetPrefixes() {
        prefixes.forgetAll()
    }

    /// Appends `count` free blocks. Precondition: so many are free.
    mutating func take(_ count: Int, into table: inout BlockTable) {
        for _ in 0..<max(count, 0) { table.blocks.append(takeBlock()) }
    }

    /// Takes the block that was free longest; its content moves to the swap space, if it is findable.
    mutating func takeBlock() -> BlockID {
        guard let block = pool.take() else { preconditionFailure("the caller has counted the free blocks") }
        evict(block)
        return block
    }

    func matchPrefix(of tokens: [Int32], salt: String?) -> [PrefixCache.Entry] {
        var match: [PrefixCache.Entry] = []
        guard isPrefixCachingEnabled else { return match }
        while (match.count + 1) * blockSize < tokens.count {
            let start = match.count * blockSize
            let parent = match.last?.chain ?? .root
            guard let entry = prefixes.find(tokens[start..<start + blockSize], after: parent, salt: salt) else { break }
            match.append(entry)
        }
        return match
    }

    /// The first broken invariant, in words, given every live table; nil when all hold. For tests, between steps.
    public func checkInvariants(tables: [BlockTable]) -> String? {
        if let broken = pool.checkInvariants() ?? prefixes.checkInvariants() { return broken }
        if let broken = swapSpace.pool.checkInvariants() { return "swap space: \(broken)" }
        var counts = [Int](repeating: 0, count: blockCount)
        var swappedCounts = [Int](repeating: 0, count: swapBlockCount)
        for table in tables {
            if !table.blocks.isEmpty, table.isSwappedOut { return "a table lies in both pools" }
            let blocks = table.blocks.dropFirst(table.unseenCount)
            let swapped = table.swappedBlocks.dropFirst(table.unseenCount)
            for block in table.blocks.prefix(table.unseenCount) + table.swappedBlocks.prefix(table.unseenCount)
            where block != BlockTable.none {
                return "block \(block) is held below the window"
            }
            for block in blocks { counts[Int(block)] += 1 }
            for block in swapped { swappedCounts[Int(block)] += 1 }
            if Set(blocks).count != blocks.count { return "a table holds a block twice" }
        }
        for (block, count) in swapSpace.pinCounts { swappedCounts[Int(block)] += count }
        for block in 0..<blockCount where counts[block] != pool.referenceCount(of: BlockID(block)) {
            return
                "block \(block) is in \(counts[block]) tables, its count is \(pool.referenceCount(of: BlockID(block)))"
        }
        for block in 0..<swapBlockCount
        where swappedCounts[block] != swapSpace.pool.referenceCount(of: BlockID(block)) {
            return "swapped block \(block) is referenced \(swappedCounts[block]) times, its count is "
                + "\(swapSpace.pool.referenceCount(of: BlockID(block)))"
        }
        return nil
    }
}
