/// Cache layers that share a block table: all of them see the same positions, so a block is needed by all or by none.
///
/// All groups take their blocks from one pool. A block of a group holds `blockSize` tokens of the group's layers. A sequence
/// has a block table for each group.
public struct CacheGroup: Sendable, Hashable, Codable {
    /// Tokens in a block; a power of two from 1 to 256.
    public let blockSize: Int
    /// Positions that a token attends to, its own included; nil: all before it. Blocks before the window are freed.
    public let slidingWindow: Int?

    /// The greatest block size.
    public static let maximumBlockSize = 256

    public init(blockSize: Int, slidingWindow: Int? = nil) {
        precondition(
            (1...Self.maximumBlockSize).contains(blockSize) && blockSize & (blockSize - 1) == 0,
            "block size \(blockSize)")
        precondition(slidingWindow.map { $0 > 0 } ?? true, "a window of \(slidingWindow ?? 0) positions")
        self.blockSize = blockSize
        self.slidingWindow = slidingWindow
    }

    /// Blocks that hold `tokenCount` tokens.
    @inlinable
    public func blockCount(forTokens tokenCount: Int) -> Int { tokenCount.dividedUp(by: blockSize) }

    /// Leading blocks that no token from position `computedCount` on attends to.
    @inlinable
    public func unseenBlockCount(after computedCount: Int) -> Int {
        guard let slidingWindow else { return 0 }
        return max(0, computedCount - slidingWindow + 1) / blockSize
    }

    /// The maximum number of blocks that a sequence holds at once until it has `tokenCount` tokens, of which a step
    /// computes at most `chunkTokenCount`: the window before a chunk and the chunk itself, which may begin in the middle
    /// of a block.
    public func maximumBlockCount(forTokens tokenCount: Int, chunkTokenCount: Int) -> Int {
        let whole = blockCount(forTokens: tokenCount)
        guard let slidingWindow else { return whole }
        let (span, isEndless) = slidingWindow.addingReportingOverflow(chunkTokenCount - 1)
        return isEndless ? whole : min(whole, (span - 1).dividedUp(by: blockSize) + 1)
    }
}

extension Collection<CacheGroup> {
    /// The same over all groups.
    public func maximumBlockCount(forTokens tokenCount: Int, chunkTokenCount: Int) -> Int {
        reduce(0) { $0 + $1.maximumBlockCount(forTokens: tokenCount, chunkTokenCount: chunkTokenCount) }
    }

    /// The longest sequence that fits into `blockCount` blocks, in tokens, where a step computes at most `chunkTokenCount`
    /// of them, and no longer than `limit`.
    public func maximumTokenCount(inBlocks blockCount: Int, chunkTokenCount: Int, limit: Int) -> Int {
        // The demand grows with the length, so the longest one is found by halving.
        var (fits, exceeds) = (0, limit + 1)
        while exceeds - fits > 1 {
            let middle = fits + (exceeds - fits) / 2
            if maximumBlockCount(forTokens: middle, chunkTokenCount: chunkTokenCount) <= blockCount {
                fits = middle
            } else {
                exceeds = middle
            }
        }
        return fits
    }

    /// Tokens whose keys and values in all groups take `blockCount` blocks, before any block before a window is freed.
    public func tokenCount(inBlocks blockCount: Int) -> Int {
        let stretch = stretch
        return blockCount / stretch.blockCount * stretch.tokenCount
    }

    /// The tokens of a block of the greatest size, and how many blocks they take in all groups.
    public var stretch: (tokenCount: Int, blockCount: Int) {
        let largest = lazy.map(\.blockSize).max() ?? 1
        return (largest, Swift.max(1, reduce(0) { $0 + largest / $1.blockSize }))
    }
}
