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
            swappedHits: swappedHitCount)
    }

    /// Blocks moved since the start.
    public struct MoveCounts: Sendable, Hashable {
        /// Blocks moved to the swap space.
        public let out: Int
        /// Blocks brought back.
        public let `in`: Int
        /// Blocks copied on the device.
        public let copied: Int
        /// Blocks found in the swap space by their prefix.
        public let swappedHits: Int
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
        let whole = table.blocks.prefix(blockCount(forTokens: tokenCount))
        let kept = whole.dropFirst(table.unseenCount)
        let known = kept.map { prefixes.entry(of: $0)?.swapped }
        let revived = known.count { $0.map { swapSpace.pool.referenceCount(of: $0) == 0 } ?? false }
        guard !whole.isEmpty, known.count(where: { $0 == nil }) + revived <= swapSpace.pool.freeCount,
            // A block that is swapped in cannot be swapped out in the same step.
            !kept.contains(where: { swapSpace.isFilled($0) })
        else { return false }
        for case .some(let swapped) in known { swapSpace.retain(swapped) }
        table.swappedBlocks = Array(repeating: BlockTable.none, count: table.unseenCount)
        for (block, swapped) in zip(kept, known) {
            table.swappedBlocks.append(swapped ?? moveOut(block))
        }
        for block in table.blocks.dropFirst(table.unseenCount).reversed() { pool.release(block) }
        table.blocks = []
        return true
    }

    /// Brings a table back from the swap space, with room for `newTokenCount` tokens after the first `tokenCount`.
    /// Returns false, with nothing changed, when there is no room.
    public mutating func swapIn(_ table: inout BlockTable, tokenCount: Int, roomFor newTokenCount: Int) -> Bool {
        precondition(table.isSwappedOut, "a table that is not swapped out cannot be brought back")
        let swapped = table.swappedBlocks.dropFirst(table.unseenCount)
        // A block that was not reused meanwhile still holds what was moved.
        let content = swapped.map { prefixes.entry(ofSwapped: $0) ?? PrefixCache.Entry(swapped: $0, chain: .root) }
        let newBlockCount = blockCount(forTokens: tokenCount + newTokenCount) - table.swappedBlocks.count
        guard hasRoom(forContentOf: content[...], and: newBlockCount) else { return false }
        table.swappedBlocks = []
        fill(&table, with: content[...], after: table.unseenCount)
        take(newBlockCount, into: &table)
        for block in swapped.reversed() { swapSpace.release(block) }
        return true
    }

    /// How many blocks of the device would have to be copied to move `table` out.
    public func moveCount(of table: BlockTable, tokenCount: Int) -> Int {
        table.blocks.prefix(blockCount(forTokens: tokenCount)).dropFirst(table.unseenCount).count {
            prefixes.entry(of: $0)?.swapped == nil
        }
    }

    /// Whether there are blocks for `content` and `newBlockCount` more.
    func hasRoom(forContentOf content: ArraySlice<PrefixCache.Entry>, and newBlockCount: Int) -> Bool {
        var needed = max(newBlockCount, 0)
        for entry in content where entry.block.map({ pool.referenceCount(of: $0) == 0 }) ?? true { needed += 1 }
        return needed <= pool.freeCount
    }

    /// Fills an empty table with `content`: blocks of the device are shared, others are brought from the swap space. Before
    /// them come `unseenCount` blocks below the window. Precondition: there is room.
    mutating func fill(
        _ table: inout BlockTable, with content: ArraySlice<PrefixCache.Entry>, after unseenCount: Int
    ) {
        table.blocks = Array(repeating: BlockTable.none, count: unseenCount)
        table.unseenCount = unseenCount
        // First retain the blocks that must not be reused meanwhile.
        for case let .some(block) in content.map(\.block) { pool.retain(block) }
        for entry in content.reversed() {
            if entry.block == nil, let swapped = entry.swapped { swapSpace.pin(swapped) }
        }
        for entry in content {
            if let block = entry.block {
                table.blocks.append(block)
            } else if let swapped = entry.swapped {
                let block = takeBlock()
                swapSpace.moveIn(swapped, to: block)
                prefixes.copied(swapped: swapped, to: block)
                table.blocks.append(block)
            }
        }
    }

    /// Called before `block` is reused: its content moves to the swap space, if it is findable and not there already.
    mutating func evict(_ block: BlockID) {
        if swapSpace.pool.freeCount > 0, let entry = prefixes.entry(of: block) {
            if let swapped = entry.swapped {
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
