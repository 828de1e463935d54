/// The blocks of one sequence, in order of position. Append-only until it is freed as a whole.
///
/// Only `KVCacheManager` changes it; the bytes belong to whoever maps slots to memory.
public struct BlockTable: Sendable, Hashable {
    /// Block of positions `i * blockSize ..< (i + 1) * blockSize`, for each `i`.
    public internal(set) var blocks: [BlockID] = []
    /// How many leading blocks the prefix cache has been told about.
    var registeredCount = 0
    /// The chain that those blocks form.
    var chain = PrefixCache.Chain.root

    /// A table without blocks.
    public init() {}
}
