import Backends
import Tensors

/// The memory that a model takes on its device, in bytes.
public struct DeviceMemory: Sendable, Hashable {
    /// The device's own name.
    public let deviceName: String
    /// The limit for the model and its cache together.
    public let budgetByteCount: Int
    /// The weights as the device keeps them.
    public let weightsByteCount: Int
    /// Activations and the like, for the largest batch.
    public let scratchByteCount: Int
    /// Keys and values.
    public let cacheByteCount: Int
    /// Number of blocks of the cache.
    public let blockCount: Int
    /// Keys and values of one block, over all layers.
    public let blockByteCount: Int
    /// Tokens in a block.
    public let blockSize: Int
    /// Maximum loss to the alignment of the cache's ranges.
    public let alignmentByteCount: Int
    /// Maximum number of blocks that the device's kernels can address.
    public let addressableBlockCount: Int

    init(
        _ device: DeviceInfo, _ pool: MemoryPool, layers: [CacheLayer], blockCount: Int, blockSize: Int,
        type: CacheType
    ) {
        deviceName = device.name
        budgetByteCount = pool.budgetByteCount
        weightsByteCount = pool.usedByteCount(for: .weights)
        scratchByteCount = pool.usedByteCount(for: .scratch)
        cacheByteCount = pool.usedByteCount(for: .cache)
        self.blockCount = blockCount
        blockByteCount = KVCacheMemory.byteCountPerBlock(
            layers: layers, blockSize: blockSize, type: type)
        self.blockSize = blockSize
        alignmentByteCount = layers.count * 2 * MemoryPool.alignment
        addressableBlockCount = KVCacheMemory.blockCount(
            fitting: .max, layers: layers, blockSize: blockSize, type: type, device: device)
    }
}
