/// The paged key-value cache.
public struct CacheSection: Sendable, Equatable {
    /// Tokens in one block.
    public var blockSize = 16
    /// The share of the device's free memory that weights, scratch memory and cache may take together; nil: 0.9 of a device's
    /// own memory, while a cache in the host's memory takes 4 GiB, and half of what is free at most.
    public var memoryUtilization: Double?
    /// Exact bytes for keys and values, instead of `memoryUtilization`.
    public var memory: Int?
    /// Exact number of blocks, instead of `memoryUtilization`.
    public var numBlocks: Int?
    /// Bytes of host memory to which preempted requests and cold cached blocks move; 0: none.
    public var swapSpace = 0
    /// Exact number of blocks there, instead of `swapSpace`.
    public var numSwapBlocks: Int?
    /// The type of keys and values in memory.
    public var dtype = TypeChoice.auto
    /// Whether requests share the blocks of equal beginnings.
    public var enablePrefixCaching = true

    /// How keys and values are stored.
    public enum TypeChoice: String, Sendable, CaseIterable {
        /// As the model's weights are.
        case auto
        case f32, bf16, f16
        /// Eight bits a number and a scale for each head of each token.
        case int8
    }

    init() {}
}

extension CacheSection: ConfigurationSection {
    static let name = "cache"
    static let summary = "the paged key-value cache"
    /// The block manager keeps a dozen bytes of each, whatever it holds.
    private static let mostBlocks = 1 << 28
    static let keys: [ConfigurationKey<CacheSection>] = [
        ConfigurationKey("block_size", \.blockSize, .powerOfTwo(in: 1...256), "Tokens in one block"),
        ConfigurationKey(
            "memory_utilization", optional: \.memoryUtilization, .number(in: 0.01...1),
            unset: "0.9 on a device with memory of its own; in the host's memory, memory decides", example: "0.9",
            "The share of the device's free memory that weights, scratch memory and cache take together"),
        ConfigurationKey(
            "memory", optional: \.memory, .byteCount(in: 1024...(1 << 50)),
            unset: "what memory_utilization leaves; in the host's memory 4GiB, at most half of what is free",
            example: "4GiB", "Exact bytes for keys and values, instead of memory_utilization"),
        ConfigurationKey(
            "num_blocks", optional: \.numBlocks, .integer(in: 1...mostBlocks),
            unset: "what fits into memory", example: "1024",
            "Exact number of blocks, instead of memory or memory_utilization"),
        ConfigurationKey(
            "swap_space", \.swapSpace, .byteCount(in: 0...(1 << 50)),
            "Bytes of the host's memory to which preempted requests and cold cached blocks move, such as 4GiB; 0: none"),
        ConfigurationKey(
            "num_swap_blocks", optional: \.numSwapBlocks, .integer(in: 0...mostBlocks),
            unset: "what fits into swap_space", example: "4096", "Exact number of blocks there, instead of swap_space"),
        ConfigurationKey(
            "dtype", \.dtype, .choice,
            "The type of keys and values in memory; auto follows the model, int8 has a scale for each token and head"),
        ConfigurationKey(
            "enable_prefix_caching", \.enablePrefixCaching, .boolean,
            "Whether requests share the blocks of equal beginnings"),
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
