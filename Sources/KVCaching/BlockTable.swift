public import SharedValues

/// The blocks of one sequence, in order of position. Append-only until it is freed as a whole; with a sliding window,
/// blocks that no later token attends to are freed, and `none` takes their position.
///
/// Only `KVCacheManager` changes it.
public struct BlockTable: Sendable, Hashable {
    /// Block of positions `i * blockSize ..< (i + 1) * blockSize`, for each `i`. Empty while it is swapped out.
    public internal(set) var blocks: [BlockID] = []
    /// The blocks of the swap space, in the same order, while it is swapped out.
    public internal(set) var swappedBlocks: [BlockID] = []
    /// How many leading blocks are freed, because no later token attends to them.
    public internal(set) var unseenCount = 0
    /// How many leading blocks are registered with the prefix cache.
    var registeredCount = 0
    /// The chain that those blocks form.
    var chain = PrefixCache.Chain.root

    /// Takes the position of a freed block.
    public static let none: BlockID = -1

    public init() {}

    /// How many blocks of the device it holds.
    public var heldCount: Int { blocks.count - (isSwappedOut ? 0 : unseenCount) }

    /// Whether its content is in the swap space.
    public var isSwappedOut: Bool { !swappedBlocks.isEmpty }
    /// Whether it holds no block of either pool.
    public var isEmpty: Bool { blocks.isEmpty && swappedBlocks.isEmpty }
}
