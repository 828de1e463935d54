import SharedValues

/// Reference counts of blocks, and the order in which free ones are reused.
///
/// Invariants (checked by `checkInvariants`): a block is in the free list exactly if its reference count is 0; the list
/// holds each free block once, least recently freed first.
struct BlockPool: Sendable {
    private var referenceCounts: [Int32]
    private var next: [BlockID]
    private var previous: [BlockID]
    private(set) var freeCount: Int

    /// The index of the list's sentinel, after the last block: its links are the list's two ends.
    private var sentinel: Int { referenceCounts.count }

    init(blockCount: Int) {
        referenceCounts = Array(repeating: 0, count: blockCount)
        let count = Int32(blockCount)
        // A ring through every block in order and the sentinel.
        next = (0...count).map { $0 == count ? 0 : $0 + 1 }
        previous = (0...count).map { $0 == 0 ? count : $0 - 1 }
        freeCount = blockCount
    }

    var blockCount: Int { referenceCounts.count }

    func referenceCount(of block: BlockID) -> Int { Int(referenceCounts[Int(block)]) }

    /// Takes the least recently freed block; nil when none is free.
    mutating func take() -> BlockID? {
        guard freeCount > 0 else { return nil }
        let block = next[sentinel]
        unlink(block)
        referenceCounts[Int(block)] = 1
        return block
    }

    /// Adds a reference to a block, free or not.
    mutating func retain(_ block: BlockID) {
        if referenceCounts[Int(block)] == 0 { unlink(block) }
        referenceCounts[Int(block)] += 1
    }

    /// Drops a reference; the last one puts the block at the end of the free list.
    mutating func release(_ block: BlockID) {
        precondition(referenceCounts[Int(block)] > 0, "block \(block) released twice")
        referenceCounts[Int(block)] -= 1
        guard referenceCounts[Int(block)] == 0 else { return }
        let last = previous[sentinel]
        next[Int(last)] = block
        previous[Int(block)] = last
        next[Int(block)] = BlockID(sentinel)
        previous[sentinel] = block
        freeCount += 1
    }

    private mutating func unlink(_ block: BlockID) {
        let (before, after) = (previous[Int(block)], next[Int(block)])
        next[Int(before)] = after
        previous[Int(after)] = before
        freeCount -= 1
    }

    /// Free blocks in the order in which they will be taken.
    var freeBlocks: [BlockID] {
        var blocks: [BlockID] = []
        var block = next[sentinel]
        while Int(block) != sentinel {
            blocks.append(block)
            block = next[Int(block)]
        }
        return blocks
    }

    /// The first broken invariant, in words; nil when all hold.
    func checkInvariants() -> String? {
        let free = freeBlocks
        if free.count != freeCount { return "free list has \(free.count) blocks, the count says \(freeCount)" }
        if Set(free).count != free.count { return "a block is in the free list twice" }
        for block in free where referenceCounts[Int(block)] != 0 {
            return "free block \(block) has \(referenceCounts[Int(block)]) references"
        }
        let referenced = referenceCounts.count { $0 > 0 }
        if referenced + freeCount != blockCount {
            return "\(referenced) referenced and \(freeCount) free blocks of \(blockCount)"
        }
        return nil
    }
}
