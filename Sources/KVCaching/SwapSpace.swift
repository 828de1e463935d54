import SharedValues

/// The second pool of blocks, in the host's memory, and the moves that the next step has to make first.
///
/// A block of it that a move reads or writes is pinned until `takeMoves`, so that no other move of the same step can use
/// it. Free blocks keep their content, and may be findable, until they are reused.
struct SwapSpace: Sendable {
    private(set) var pool: BlockPool
    private(set) var moves: [BlockMove] = []
    /// Blocks of the device that a waiting move fills.
    private var filledBlocks: Set<BlockID> = []
    private var pinned: [BlockID] = []
    private(set) var movedOutCount = 0
    private(set) var movedInCount = 0
    private(set) var copiedCount = 0

    init(blockCount: Int) {
        pool = BlockPool(blockCount: blockCount)
    }

    /// Whether a waiting move fills `block` of the device.
    func isFilled(_ block: BlockID) -> Bool { filledBlocks.contains(block) }

    /// Takes a block, which the caller references and which is pinned, for the content of `block` of the device; nil when
    /// none is free.
    mutating func moveOut(_ block: BlockID) -> BlockID? {
        guard let target = pool.take() else { return nil }
        pin(target)
        moves.append(BlockMove(.swapOut, from: block, to: target))
        movedOutCount += 1
        return target
    }

    /// Moves the content of `swapped` to `block` of the device.
    mutating func moveIn(_ swapped: BlockID, to block: BlockID) {
        moves.append(BlockMove(.swapIn, from: swapped, to: block))
        filledBlocks.insert(block)
        movedInCount += 1
    }

    /// Copies the content of `block` of the device to `target`.
    mutating func copy(_ block: BlockID, to target: BlockID) {
        moves.append(BlockMove(.copy, from: block, to: target))
        filledBlocks.insert(target)
        copiedCount += 1
    }

    /// Called when `block` of the device is reused: moves that were to fill it are dropped.
    mutating func reuse(_ block: BlockID) {
        guard !filledBlocks.isEmpty, filledBlocks.remove(block) != nil else { return }
        moves.removeAll { $0.direction != .swapOut && $0.target == block }
    }

    mutating func retain(_ block: BlockID) { pool.retain(block) }
    mutating func release(_ block: BlockID) { pool.release(block) }

    /// Keeps `block` from being reused until `takeMoves`.
    mutating func pin(_ block: BlockID) {
        pool.retain(block)
        pinned.append(block)
    }

    /// The moves since the last call; their blocks are no longer pinned.
    mutating func takeMoves() -> [BlockMove] {
        guard !moves.isEmpty || !pinned.isEmpty else { return [] }
        for block in pinned { pool.release(block) }
        pinned.removeAll(keepingCapacity: true)
        filledBlocks.removeAll(keepingCapacity: true)
        defer { moves.removeAll() }
        return moves
    }

    /// How often each block is pinned.
    var pinCounts: [BlockID: Int] { pinned.reduce(into: [:]) { $0[$1, default: 0] += 1 } }
}
