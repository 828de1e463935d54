public import SharedValues

/// The blocks of one sequence, in order of position. Append-only until it is freed as a whole; with a sliding window,
/// blocks that no later token sees are given back, and `none` stands in their place.
///
/// Only `KVCacheManager` changes it; the bytes belong to whoever maps slots to memory.
public struct BlockTable: Sendable, Hashable {
    /// Block of positions `i * blockSize ..< (i + 1) * blockSize`, for each `i`. Empty while it is swapped out.
    public internal(set) var blocks: [BlockID] = []
    /// The same, of the swap space, while it is swapped out.
    public internal(set) var swappedBlocks: [BlockID] = []
    /// How many leading blocks have been given back, as no later token sees them.
    public internal(set) var unseenCount = 0
    /// How many leading blocks the prefix cache has been told about.
    var registeredCount = 0
    /// The chain that those blocks form.
    var chain = PrefixCache.Chain.root

    /// Stands for a block that was given back.
    public static let none: BlockID = -1

    /// A table without blocks.
    public init() {}

    /// How many blocks of the device it holds.
    public var heldCount: Int { blocks.count - (isSwappedOut ? 0 : unseenCount) }

    /// Whether its content lies in the swap space.
    public var isSwappedOut: Bool { !swappedBlocks.isEmpty }
    /// Whether it holds no block of either pool.
    public var isEmpty: Bool { blocks.isEmpty && swappedBlocks.isEmpty }
}
