import SharedValues

/// The one block manager: hands blocks to sequences, shares full ones with equal prefixes, takes them back.
///
/// It knows no bytes and no requests. A *slot* is `block * blockSize + offset`. Freed blocks stay findable until they
/// are reused, least recently freed first, the tail of a sequence before its head. With a swap space, what is reused
/// moves there and stays findable, and whole sequences can: see `takeMoves`.
public struct KVCacheManager: ~Copyable, Sendable {
    /// Tokens in a block.
    public let blockSize: Int
    /// Whether full blocks are shared between equal prefixes.
    public let isPrefixCachingEnabled: Bool
    /// Positions that a token sees, its own included, where every layer of the model is limited to so many; nil: all.
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

    /// All blocks.
    public var blockCount: Int { pool.blockCount }
    /// Blocks that nobody references; they may still hold findable prefixes.
    public var freeBlockCount: Int { pool.freeCount }
    /// Blocks that hold findable prefixes, referenced or not.
    public var cachedBlockCount: Int { prefixes.count }

    /// Blocks that `tokenCount` tokens take.
    public func blockCount(forTokens tokenCount: Int) -> Int { tokenCount.dividedUp(by: blockSize) }

    /// How many leading tokens of `tokens` are cached: whole blocks, and never all of them, so that at least one
    /// token is left to compute logits from.
    public func cachedPrefixCount(of tokens: [Int32], salt: String?) -> Int {
        matchPrefix(of: tokens, salt: salt).count * blockSize
    }

    /// Starts an empty table with the cached blocks of `tokens` and room for `newTokenCount(cached)` tokens more.
    /// Returns how many tokens are cached, or nil, with nothing changed, when there is no room (or no need of any).
    /// What is cached in the swap space only is brought back: `takeMoves` says so.
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

    /// Gives all blocks of `table` back, of both pools, and empties it.
    public mutating func free(_ table: inout BlockTable) {
        // Last block first: the tail of a prefix is less likely to be shared, so it is reused earlier.
        for block in table.blocks.reversed() where block != BlockTable.none { pool.release(block) }
        for block in table.swappedBlocks.reversed() where block != BlockTable.none { swapSpace.release(block) }
        table = BlockTable()
    }

    /// Gives back the blocks of `table` that no token from `computedCount` on sees: those wholly below the window of
    /// the next one. They stay findable until they are reused. Call `register` first.
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

    /// Appends `count` blocks of nobody's. Precondition: so many are free.
    mutating func take(_ count: Int, into table: inout BlockTable) {
        for _ in 0..<max(count, 0) { table.blocks.append(takeBlock()) }
    }

    /// Takes the block that was free longest; what it held moves to the swap space, if it is findable.
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
            guard let found = prefixes.find(tokens[start..<start + blockSize], after: parent, salt: salt) else { break }
            match.append(found)
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
                return "block \(block) is held and seen by nobody"
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
            return "swapped block \(block) is wanted \(swappedCounts[block]) times, its count is "
                + "\(swapSpace.pool.referenceCount(of: BlockID(block)))"
        }
        return nil
    }
}
