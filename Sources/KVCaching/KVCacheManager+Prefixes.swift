import SharedValues

/// The longest cached prefix of some tokens.
struct PrefixMatch {
    /// Tokens that are cached.
    var tokenCount = 0
    /// The nodes of the prefixes of 1, 2 and more blocks of the smallest size, up to that of all `tokenCount` tokens.
    var path: [Int] = []
    /// The node of all `tokenCount` tokens.
    var node = PrefixCache.NodeID.root
}

/// How full blocks become findable, and are found.
extension KVCacheManager {
    /// Makes the blocks that the first `computedCount` of `tokens` have filled findable.
    public mutating func register(_ table: inout BlockTable, tokens: [Int32], computedCount: Int, salt: String?) {
        let size = prefixes.blockSize
        guard isPrefixCachingEnabled, (table.registeredCount + 1) * size <= computedCount else { return }
        if !prefixes.contains(table.prefix) {
            // Other blocks that held the same were known instead of the table's, and have been reused.
            table.prefix = .root
            table.registeredCount = 0
        }
        var node = table.prefix.index
        while (table.registeredCount + 1) * size <= computedCount {
            let end = (table.registeredCount + 1) * size
            node = prefixes.addChild(of: node, tokens[end - size..<end], salt: salt)
            for (index, group) in groups.enumerated() where end % group.blockSize == 0 {
                let block = table.blocks[index][end / group.blockSize - 1]
                if block != BlockTable.none { prefixes.register(block, at: node, group: index) }
            }
            table.registeredCount += 1
        }
        table.prefix = prefixes.id(of: node)
        prefixes.removeUnused(node)
    }

    /// Makes every cached prefix unfindable.
    public mutating func forgetPrefixes() {
        prefixes.forgetAll()
    }

    /// The longest prefix of `tokens` of which every group has the blocks that the next token and later ones attend to: all
    /// of them, or those in the window. It is shorter than `tokens`.
    func matchPrefix(of tokens: [Int32], salt: String?) -> PrefixMatch {
        var match = PrefixMatch()
        guard isPrefixCachingEnabled else { return match }
        let size = prefixes.blockSize
        var node = PrefixCache.NodeID.root.index
        // For each group, the number of known blocks without a gap that end at the node.
        var runs = [Int](repeating: 0, count: groups.count)
        search: while (match.path.count + 1) * size < tokens.count {
            let end = (match.path.count + 1) * size
            guard let child = prefixes.child(of: node, tokens[end - size..<end], salt: salt) else { break }
            node = child
            match.path.append(child)
            var isHit = end % blockSize == 0
            for (index, group) in groups.enumerated() where end % group.blockSize == 0 {
                if prefixes.content(of: node, group: index) != PrefixCache.Content() {
                    runs[index] += 1
                } else if group.slidingWindow == nil {
                    // No longer prefix is whole in this group.
                    break search
                } else {
                    runs[index] = 0
                }
                if runs[index] < end / group.blockSize - group.unseenBlockCount(after: end) { isHit = false }
            }
            if isHit { match.tokenCount = end }
        }
        match.path.removeLast(match.path.count - match.tokenCount / size)
        if let last = match.path.last { match.node = prefixes.id(of: last) }
        return match
    }

    /// The blocks of `group` that hold the prefix `match`, without the first `unseenCount`.
    func contents(of match: PrefixMatch, group: Int, after unseenCount: Int) -> [PrefixCache.Content] {
        let size = groups[group].blockSize
        return (unseenCount..<match.tokenCount / size).map {
            prefixes.content(of: match.path[($0 + 1) * (size / prefixes.blockSize) - 1], group: group)
        }
    }

    /// The first broken invariant, in words, given every live table; nil when all hold. For tests, between steps.
    public func checkInvariants(tables: [BlockTable]) -> String? {
        if let broken = pool.checkInvariants() ?? prefixes.checkInvariants() { return broken }
        if let broken = swapSpace.pool.checkInvariants() { return "swap space: \(broken)" }
        var counts = [Int](repeating: 0, count: blockCount)
        var swappedCounts = [Int](repeating: 0, count: swapBlockCount)
        for table in tables {
            if !table.blocks.isEmpty, table.isSwappedOut { return "a table lies in both pools" }
            var held: Set<BlockID> = []
            for (lists, isSwapped) in [(table.blocks, false), (table.swappedBlocks, true)] {
                for (list, unseenCount) in zip(lists, table.unseenCounts) {
                    for (position, block) in list.enumerated() {
                        if (block == BlockTable.none) != (position < unseenCount) {
                            return "block \(block) at position \(position), and \(unseenCount) are before the window"
                        }
                        guard block != BlockTable.none else { continue }
                        if !held.insert(block).inserted { return "a table holds block \(block) twice" }
                        if isSwapped { swappedCounts[Int(block)] += 1 } else { counts[Int(block)] += 1 }
                    }
                }
            }
        }
        for (block, count) in swapSpace.pinCounts { swappedCounts[Int(block)] += count }
        for block in copiedBlocks { counts[Int(block)] += 1 }
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
