public import SharedValues

/// The blocks of one sequence: for each cache group a list in order of position. Append-only until it is freed as a whole;
/// in a group with a sliding window, blocks that no later token attends to are freed, and `none` takes their position.
///
/// Only `KVCacheManager` changes it.
public struct BlockTable: Sendable, Hashable {
    /// For each group, the block of positions `i * blockSize ..< (i + 1) * blockSize`, for each `i`. Empty before the
    /// sequence has begun and while it is swapped out.
    public internal(set) var blocks: [[BlockID]] = []
    /// The blocks of the swap space, in the same order, while it is swapped out.
    public internal(set) var swappedBlocks: [[BlockID]] = []
    /// For each group, how many leading blocks are freed, because no later token attends to them.
    public internal(set) var unseenCounts: [Int] = []
    /// How many leading tokens the prefix cache was told of, in blocks of the smallest size.
    var registeredCount = 0
    /// The prefix that those tokens are.
    var prefix = PrefixCache.NodeID.root

    /// Takes the position of a freed block.
    public static let none: BlockID = -1

    public init() {}

    /// How many blocks of the device it holds.
    public var heldCount: Int {
        var count = 0
        for (index, list) in blocks.enumerated() { count += list.count - unseenCounts[index] }
        return count
    }

    /// Whether its content is in the swap space.
    public var isSwappedOut: Bool { !swappedBlocks.isEmpty }
    /// Whether it holds no block of either pool.
    public var isEmpty: Bool { blocks.isEmpty && swappedBlocks.isEmpty }
}
