/// The blocks of one sequence, in order of position. Append-only until it is freed as a whole.
///
/// Only `KVCacheManager` changes it; the bytes belong to whoever maps slots to memory.
public struct BlockTable: Sendable, Hashable {
    /// Block of positions `i * blockSize ..< (i + 1) * blockSize`, for each `i`. Empty while it is swapped out.
    public internal(set) var blocks: [BlockID] = []
    /// The same, of the swap space, while it is swapped out.
    public internal(set) var swappedBlocks: [BlockID] = []
    /// How many leading blocks the prefix cache has been told about.
    var registeredCount = 0
    /// The chain that those blocks form.
    var chain = PrefixCache.Chain.root

    /// A table without blocks.
    public init() {}

    /// Whether its content lies in the swap space.
    public var isSwappedOut: Bool { !swappedBlocks.isEmpty }
    /// Whether it holds no block of either pool.
    public var isEmpty: Bool { blocks.isEmpty && swappedBlocks.isEmpty }
}
