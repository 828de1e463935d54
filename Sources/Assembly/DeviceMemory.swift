import Backends
public import SharedValues

/// The memory that a model takes on its device, in bytes.
public struct DeviceMemory: Sendable, Hashable {
    /// The device's own name.
    public let deviceName: String
    /// The limit for the model and its cache together.
    public let budgetByteCount: Int
    /// The weights as the device keeps them.
    public let weightsByteCount: Int
    /// The weights that it reads from the host's memory.
    public let hostWeightsByteCount: Int
    /// Activations and the like, for the largest batch.
    public let scratchByteCount: Int
    /// Keys and values.
    public let cacheByteCount: Int
    /// Number of blocks of the cache.
    public let blockCount: Int
    /// Keys and values of one block, over all physical layers.
    public let blockByteCount: Int
    /// The cache groups, each of which takes blocks of its own for a token.
    public let groups: [CacheGroup]
    /// Maximum loss to the alignment of the cache's ranges.
    public let alignmentByteCount: Int
    /// Maximum number of blocks that the device's kernels can address.
    public let addressableBlockCount: Int

    /// Tokens that the cache holds before any block behind a sliding window is freed.
    public var cacheTokenCount: Int { groups.tokenCount(inBlocks: blockCount) }

    init(
        _ device: DeviceInfo, _ pool: MemoryPool, _ layout: CacheLayout, blockCount: Int, experts: ExpertMemory? = nil
    ) {
        hostWeightsByteCount = experts?.hostPool.usedByteCount(for: .hostWeights) ?? 0
        deviceName = device.name
        budgetByteCount = pool.budgetByteCount
        weightsByteCount = pool.usedByteCount(for: .weights)
        scratchByteCount = pool.usedByteCount(for: .scratch)
        cacheByteCount = pool.usedByteCount(for: .cache)
        self.blockCount = blockCount
        blockByteCount = layout.blockByteCount
        groups = layout.groups
        alignmentByteCount = layout.alignmentByteCount
        addressableBlockCount = layout.blockCount(fitting: .max, on: device)
    }
}
