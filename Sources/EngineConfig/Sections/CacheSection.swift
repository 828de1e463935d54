public import Backends

/// The paged key-value cache.
public struct CacheSection: Sendable, Equatable {
    /// Tokens in one block.
    public var blockSize = 16
    /// The fraction of the device's free memory that weights, scratch memory and cache may take together. Nil: 0.9 on a
    /// device with memory of its own; in the host's memory, 4 GiB for the cache, but at most half of what is free.
    public var memoryUtilization: Double?
    /// Exact bytes for keys and values, instead of `memoryUtilization`.
    public var memory: Int?
    /// Exact number of blocks, instead of `memoryUtilization`.
    public var numBlocks: Int?
    /// Bytes of host memory to which preempted requests and cold cached blocks move; 0: none.
    public var swapSpace = 0
    /// Exact number of blocks there, instead of `swapSpace`.
    public var numSwapBlocks: Int?
    /// The type of keys and values in memory; nil: that of the weights.
    public var dtype: CacheType?
    /// Whether requests share the blocks of equal beginnings.
    public var enablePrefixCaching = true

    init() {}
}

extension CacheSection: ConfigurationSection {
    static let name = "cache"
    static let summary = "the paged key-value cache"
    /// The block manager keeps a dozen bytes for each block, whatever its size.
    private static let maximumBlockCount = 1 << 28
    static let keys: [ConfigurationKey<CacheSection>] = [
        ConfigurationKey("block_size", \.blockSize, .powerOfTwo(in: 1...256), "Tokens in one block"),
        ConfigurationKey(
            "memory_utilization", optional: \.memoryUtilization, .number(in: 0.01...1),
            unset: "0.9 on a device with memory of its own; cache.memory decides in the host's memory", example: "0.9",
            "The fraction of the device's free memory that weights, scratch memory and cache take together"),
        ConfigurationKey(
            "memory", optional: \.memory, .byteCount(in: 1024...(1 << 50)),
            unset: "what memory_utilization leaves; in the host's memory 4GiB, but at most half of what is free",
            example: "4GiB", "Exact size of the cache, instead of memory_utilization"),
        ConfigurationKey(
            "num_blocks", optional: \.numBlocks, .integer(in: 1...maximumBlockCount),
            unset: "what fits into memory", example: "1024",
            "Exact number of blocks, instead of memory or memory_utilization"),
        ConfigurationKey(
            "swap_space", \.swapSpace, .byteCount(in: 0...(1 << 50)),
            "Host memory for the blocks of preempted requests and of cached prefixes that left the device; 0: none"),
        ConfigurationKey(
            "num_swap_blocks", optional: \.numSwapBlocks, .integer(in: 0...maximumBlockCount),
            unset: "what fits into swap_space", example: "4096",
            "Exact number of blocks of the swap space, instead of swap_space"),
        ConfigurationKey(
            "dtype", \.dtype, .automatic(),
            "The type of keys and values in memory; auto: that of the weights; int8 has a scale for each token and head"
        ),
        ConfigurationKey(
            "enable_prefix_caching", \.enablePrefixCaching, .boolean,
            "Whether requests share the blocks of equal prefixes"),
    ]
    static let rules: [ConfigurationRule<CacheSection>] = [
        ConfigurationRule("memory", "num_blocks") {
            $0.memory != nil && $0.numBlocks != nil ? "each fixes the size of the cache, give only one" : nil
        },
        ConfigurationRule("swap_space", "num_swap_blocks") {
            $0.swapSpace != 0 && $0.numSwapBlocks != nil ? "each fixes the size of the swap space, give only one" : nil
        },
    ]
}
