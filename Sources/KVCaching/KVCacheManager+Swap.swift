public import SharedValues

/// The second tier, in the host's memory: preempted sequences, and prefixes whose blocks were reused.
extension KVCacheManager {
    /// All blocks of the swap space.
    public var swapBlockCount: Int { swapSpace.pool.blockCount }
    /// Blocks of it that no table references; they may still hold findable prefixes.
    public var freeSwapBlockCount: Int { swapSpace.pool.freeCount }
    /// Blocks of it that hold findable prefixes, referenced or not.
    public var cachedSwapBlockCount: Int { prefixes.swappedCount }
    public var moveCounts: MoveCounts {
        MoveCounts(
            out: swapSpace.movedOutCount, in: swapSpace.movedInCount, copied: swapSpace.copiedCount,
            swappedHitTokens: swappedHitTokenCount)
    }

    /// Blocks moved since the start.
    public struct MoveCounts: Sendable, Hashable {
        /// Blocks moved to the swap space.
        public let out: Int
        /// Blocks brought back.
        public let `in`: Int
        /// Blocks copied on the device.
        public let copied: Int
        /// Tokens found in the swap space by their prefix.
        public let swappedHitTokens: Int
    }

    /// The moves that must be made, in order of their rounds, before anything is computed in the blocks allocated since the
    /// last call. Call it once a step: until then, blocks of the swap space that the moves use are not reused.
    public mutating func takeMoves() -> [BlockMove] {
        for block in copiedBlocks { pool.release(block) }
        copiedBlocks.removeAll(keepingCapacity: true)
        return swapSpace.takeMoves()
    }

    /// Moves the blocks of the first `tokenCount` tokens of `table` to the swap space and frees the table's blocks on the
    /// device. Returns false, with nothing changed, where there is no room, or nothing to move.
    public mutating func swapOut(_ table: inout BlockTable, tokenCount: Int) -> Bool {
        guard tokenCount > 0, !table.blocks.isEmpty else { return false }
        let kept = keptBlocks(of: table, tokenCount: tokenCount)
        var neededCount = 0
        for block in kept.joined() {
            // A block that is swapped in cannot be swapped out in the same step.
            if swapSpace.isFilled(block) { return false }
            let swapped = prefixes.content(ofBlock: block)?.swapped
            if swapped.map({ swapSpace.pool.referenceCount(of: $0) == 0 }) ?? true { neededCount += 1 }
        }
        guard neededCount <= swapSpace.pool.freeCount else { return false }
        // First retain the blocks that must not be reused meanwhile.
        let known = kept.map { $0.map { prefixes.content(ofBlock: $0)?.swapped } }
        for case .some(let swapped) in known.joined() { swapSpace.retain(swapped) }
        table.swappedBlocks = table.unseenCounts.map { Array(repeating: BlockTable.none, count: $0) }
        for (index, blocks) in kept.enumerated() {
            for (block, swapped) in zip(blocks, known[index]) {
                table.swappedBlocks[index].append(swapped ?? moveOut(block))
            }
        }
        release(table.blocks) { $0.pool.release($1) }
        table.blocks = []
        return true
    }

    /// Brings a table back from the swap space, with room for `newTokenCount` tokens after the first `tokenCount`.
    /// Returns false, with nothing changed, when there is no room.
    public mutating func swapIn(_ table: inout BlockTable, tokenCount: Int, roomFor newTokenCount: Int) -> Bool {
        precondition(table.isSwappedOut, "a table that is not swapped out cannot be brought back")
        let swappedBlocks = table.swappedBlocks
        // A block that was not reused meanwhile still holds what was moved.
        let contents = zip(swappedBlocks, table.unseenCounts).map { blocks, unseenCount in
            blocks.dropFirst(unseenCount).map {
                prefixes.content(ofSwapped: $0) ?? PrefixCache.Content(block: nil, swapped: $0)
            }
        }
        let missing = zip(groups, swappedBlocks).map {
            $0.blockCount(forTokens: tokenCount + newTokenCount) - $1.count
        }
        guard hasRoom(for: contents, and: missing) else { return false }
        table.swappedBlocks = []
        fill(&table, with: contents, after: table.unseenCounts)
        take(missing, into: &table)
        release(swappedBlocks) { $0.swapSpace.release($1) }
        return true
    }

    /// How many blocks of the device would have to be copied to move `table` out.
    public func moveCount(of table: BlockTable, tokenCount: Int) -> Int {
        keptBlocks(of: table, tokenCount: tokenCount).reduce(0) { count, blocks in
            count + blocks.count { prefixes.content(ofBlock: $0)?.swapped == nil }
        }
    }

    /// How many blocks of `table` hold the first `tokenCount` tokens: those that a move in brings back.
    public func keptBlockCount(of table: BlockTable, tokenCount: Int) -> Int {
        keptBlocks(of: table, tokenCount: tokenCount).reduce(0) { $0 + $1.count }
    }

    /// For each group, the blocks of the first `tokenCount` tokens that later tokens attend to.
    private func keptBlocks(of table: BlockTable, tokenCount: Int) -> [ArraySlice<BlockID>] {
        zip(groups, table.blocks).enumerated().map { index, pair in
            pair.1.prefix(pair.0.blockCount(forTokens: tokenCount)).dropFirst(table.unseenCounts[index])
        }
    }

    /// Whether there are blocks for `contents`, and for each group its number of `newBlockCounts` more.
    func hasRoom(for contents: [[PrefixCache.Content]], and newBlockCounts: [Int]) -> Bool {
        var needed = newBlockCounts.reduce(0) { $0 + max($1, 0) }
        for content in contents.joined() where content.block.map({ pool.referenceCount(of: $0) == 0 }) ?? true {
            needed += 1
        }
        return needed <= pool.freeCount
    }

    /// Fills an empty table with the `contents` of each group: blocks of the device are shared, others are brought from the
    /// swap space. Before them come `unseenCounts` blocks before the window. Precondition: there is room.
    mutating func fill(
        _ table: inout BlockTable, with contents: [[PrefixCache.Content]], after unseenCounts: [Int]
    ) {
        table.unseenCounts = unseenCounts
        table.blocks = unseenCounts.map { Array(repeating: BlockTable.none, count: $0) }
        // First retain the blocks that must not be reused meanwhile.
        for case .some(let block) in contents.joined().map(\.block) { pool.retain(block) }
        for content in contents.joined().reversed() {
            if content.block == nil, let swapped = content.swapped { swapSpace.pin(swapped) }
        }
        for (index, list) in contents.enumerated() {
            for content in list {
                if let block = content.block {
                    table.blocks[index].append(block)
                } else if let swapped = content.swapped {
                    let block = takeBlock()
                    swapSpace.moveIn(swapped, to: block)
                    prefixes.copied(swapped: swapped, to: block)
                    table.blocks[index].append(block)
                }
            }
        }
    }

    /// Called before `block` is reused: its content moves to the swap space, if it is findable and not there already.
    mutating func evict(_ block: BlockID) {
        if swapSpace.pool.freeCount > 0, let content = prefixes.content(ofBlock: block) {
            if let swapped = content.swapped {
                // Marks the copy in the swap space as recently used, like the block.
                swapSpace.retain(swapped)
                swapSpace.release(swapped)
            } else if !swapSpace.isFilled(block) {
                // No table holds it: it is free again once the move is made.
                swapSpace.release(moveOut(block))
            }
        }
        prefixes.forget(block)
        swapSpace.reuse(block)
    }

    /// Copies `block` to the swap space. Precondition: a block of it is free.
    private mutating func moveOut(_ block: BlockID) -> BlockID {
        guard let swapped = swapSpace.moveOut(block) else { preconditionFailure("the caller has counted them") }
        prefixes.forgetSwapped(swapped)
        prefixes.copied(block, toSwapped: swapped)
        return swapped
    }
}
