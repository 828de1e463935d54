/// The paged key-value cache.
public struct CacheSection: Sendable, Equatable {
    /// Tokens in one block.
    public var blockSize = 16
    /// The share of the device's free memory that Quire may use.
    public var memoryUtilization = 0.9
    /// Exact bytes for keys and values, instead of `memoryUtilization`.
    public var memory: Int?
    /// Exact number of blocks, instead of `memoryUtilization`.
    public var numBlocks: Int?
    /// The type of keys and values in memory.
    public var dtype = DTypeChoice.auto
    /// Whether requests share the blocks of equal beginnings.
    public var enablePrefixCaching = true

    init() {}
}

extension CacheSection: ConfigurationSection {
    static let name = "cache"
    static let summary = "the paged key-value cache"
    static let keys: [ConfigurationKey<CacheSection>] = [
        ConfigurationKey("block_size", \.blockSize, .powerOfTwo(in: 1...256), "Tokens in one block"),
        ConfigurationKey(
            "memory_utilization", \.memoryUtilization, .number(in: 0.01...1),
            "The share of the device's free memory that Quire may use"),
        ConfigurationKey(
            "memory", optional: \.memory, .byteCount(in: 1024...(1 << 50)), unset: "what memory_utilization leaves",
            example: "4GiB", "Exact bytes for keys and values, instead of memory_utilization"),
        ConfigurationKey(
            "num_blocks", optional: \.numBlocks, .integer(in: 1...Int(Int32.max)),
            unset: "what memory_utilization leaves", example: "1024",
            "Exact number of blocks, instead of memory or memory_utilization"),
        ConfigurationKey("dtype", \.dtype, .choice, "The type of keys and values in memory; auto follows the model"),
        ConfigurationKey(
            "enable_prefix_caching", \.enablePrefixCaching, .boolean,
            "Whether requests share the blocks of equal beginnings"),
    ]
    static let rules: [ConfigurationRule<CacheSection>] = [
        ConfigurationRule("memory", "num_blocks") {
            $0.memory != nil && $0.numBlocks != nil ? "each fixes the size of the cache, give only one" : nil
        }
    ]
}
