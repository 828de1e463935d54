/// The one block manager: hands blocks to sequences, shares full ones with equal prefixes, takes them back.
///
/// It knows no bytes and no requests. A *slot* is `block * blockSize + offset`. Freed blocks stay findable until they
/// are reused, least recently freed first, the tail of a sequence before its head.
public struct KVCacheManager: ~Copyable, Sendable {
    /// Tokens in a block.
    public let blockSize: Int
    /// Whether full blocks are shared between equal prefixes.
    public let isPrefixCachingEnabled: Bool
    private var pool: BlockPool
    private var prefixes = PrefixCache()

    /// A manager of `blockCount` free blocks. Precondition: `blockSize` is a power of two from 1 to 256.
    public init(blockCount: Int, blockSize: Int, isPrefixCachingEnabled: Bool = true) {
        precondition(blockCount > 0 && blockCount < Int(Int32.max), "\(blockCount) blocks")
        precondition((1...256).contains(blockSize) && blockSize & (blockSize - 1) == 0, "block size \(blockSize)")
        self.blockSize = blockSize
        self.isPrefixCachingEnabled = isPrefixCachingEnabled
        pool = BlockPool(blockCount: blockCount)
    }

    /// All blocks.
    public var blockCount: Int { pool.blockCount }
    /// Blocks that nobody references; they may still hold findable prefixes.
    public var freeBlockCount: Int { pool.freeCount }
    /// Blocks that hold findable prefixes, referenced or not.
    public var cachedBlockCount: Int { prefixes.count }

    /// Blocks that `tokenCount` tokens take.
    public func blockCount(forTokens tokenCount: Int) -> Int { (tokenCount + blockSize - 1) / blockSize }

    /// How many leading tokens of `tokens` are cached: whole blocks, and never all of them, so that at least one
    /// token is left to compute logits from.
    public func cachedPrefixCount(of tokens: [Int32], salt: String?) -> Int {
        matchPrefix(of: tokens, salt: salt).blocks.count * blockSize
    }

    /// Starts an empty table with the cached blocks of `tokens` and room for `newTokenCount(cached)` tokens more.
    /// Returns how many tokens are cached, or nil, with nothing changed, when there is no room (or no need of any).
    public mutating func begin(
        _ table: inout BlockTable, tokens: [Int32], salt: String?, roomFor newTokenCount: (Int) -> Int?
    ) -> Int? {
        precondition(table.blocks.isEmpty, "a table that has begun cannot begin again")
        let match = matchPrefix(of: tokens, salt: salt)
        let cachedCount = match.blocks.count * blockSize
        guard let newCount = newTokenCount(cachedCount) else { return nil }
        let needed = blockCount(forTokens: cachedCount + newCount) - match.blocks.count
        let revived = match.blocks.count { pool.referenceCount(of: $0) == 0 }
        guard needed + revived <= pool.freeCount else { return nil }
        for block in match.blocks { pool.retain(block) }
        table.blocks = match.blocks
        table.registeredCount = match.blocks.count
        table.chain = match.chain
        take(needed, into: &table)
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

    /// Gives all blocks of `table` back and empties it.
    public mutating func free(_ table: inout BlockTable) {
        // Last block first: the tail of a prefix is less likely to be shared, so it is reused earlier.
        for block in table.blocks.reversed() { pool.release(block) }
        table = BlockTable()
    }

    /// Makes every cached prefix unfindable.
    public mutating func forgetPrefixes() {
        prefixes.forgetAll()
    }

    private mutating func take(_ count: Int, into table: inout BlockTable) {
        for _ in 0..<max(count, 0) {
            guard let block = pool.take() else { preconditionFailure("room was checked") }
            prefixes.forget(block)
            table.blocks.append(block)
        }
    }

    private func matchPrefix(of tokens: [Int32], salt: String?) -> (blocks: [BlockID], chain: PrefixCache.Chain) {
        var match: (blocks: [BlockID], chain: PrefixCache.Chain) = ([], .root)
        guard isPrefixCachingEnabled else { return match }
        while (match.blocks.count + 1) * blockSize < tokens.count {
            let start = match.blocks.count * blockSize
            guard let found = prefixes.find(tokens[start..<start + blockSize], after: match.chain, salt: salt)
            else { break }
            match.blocks.append(found.block)
            match.chain = found.chain
        }
        return match
    }

    /// The first broken invariant, in words, given every live table; nil when all hold. For tests.
    public func checkInvariants(tables: [BlockTable]) -> String? {
        if let broken = pool.checkInvariants() ?? prefixes.checkInvariants() { return broken }
        var counts = [Int](repeating: 0, count: blockCount)
        for table in tables {
            for block in table.blocks { counts[Int(block)] += 1 }
            if Set(table.blocks).count != table.blocks.count { return "a table holds a block twice" }
        }
        for block in 0..<blockCount where counts[block] != pool.referenceCount(of: BlockID(block)) {
            return
                "block \(block) is in \(counts[block]) tables, its count is \(pool.referenceCount(of: BlockID(block)))"
        }
        return nil
    }
}
