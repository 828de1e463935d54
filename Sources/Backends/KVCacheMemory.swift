/// The shape of one layer's cached keys and values.
public struct CacheLayer: Sendable, Hashable {
    /// Heads of the keys and of the values.
    public let keyValueHeadCount: Int
    /// Numbers in a head.
    public let headSize: Int

    public init(keyValueHeadCount: Int, headSize: Int) {
        self.keyValueHeadCount = keyValueHeadCount
        self.headSize = headSize
    }

    /// Numbers of one token's keys (or values).
    public var width: Int { keyValueHeadCount * headSize }
}

/// The bytes behind the blocks: for each layer one range of keys and one of values,
/// each `[blockCount, blockSize, keyValueHeads, headSize]`.
public struct KVCacheMemory: Sendable {
    /// The two ranges of one layer.
    public struct Layer: Sendable {
        /// `[blockCount, blockSize, keyValueHeads, headSize]`.
        public let keys: MemoryRange
        /// `[blockCount, blockSize, keyValueHeads, headSize]`.
        public let values: MemoryRange
    }

    public let blockCount: Int
    /// Tokens in a block.
    public let blockSize: Int
    public let type: CacheType
    /// One for each cache layer of the plan.
    public let layers: [Layer]
    /// Blocks that the swap space holds.
    public let swapBlockCount: Int
    /// The swap space: the same layers in the host's memory. Empty without swap space.
    public let swapLayers: [Layer]

    /// Allocates the memory of `blockCount` blocks from `pool`, and that of `swapBlockCount` blocks from `swapPool`.
    /// Precondition: `swapPool` is given where `swapBlockCount` is not 0.
    public init(
        layers: [CacheLayer], blockCount: Int, blockSize: Int, type: CacheType, pool: MemoryPool,
        swapBlockCount: Int = 0, swapPool: MemoryPool? = nil
    ) throws(BackendError) {
        self.blockCount = blockCount
        self.blockSize = blockSize
        self.type = type
        self.swapBlockCount = swapBlockCount
        let tokenBytes = layers.map { type.tokenByteCount(of: $0) }
        self.layers = try Self.ranges(tokenBytes.map { $0 * blockCount * blockSize }, from: pool, for: .cache)
        guard swapBlockCount > 0 else {
            swapLayers = []
            return
        }
        guard let swapPool else { preconditionFailure("a swap space without memory") }
        swapLayers = try Self.ranges(
            tokenBytes.map { $0 * swapBlockCount * blockSize }, from: swapPool, for: .swap)
    }

    private static func ranges(
        _ byteCounts: [Int], from pool: MemoryPool, for use: BufferUsage
    ) throws(BackendError) -> [Layer] {
        var ranges: [Layer] = []
        for byteCount in byteCounts {
            ranges.append(
                Layer(
                    keys: try pool.allocate(byteCount: byteCount, for: use),
                    values: try pool.allocate(byteCount: byteCount, for: use)))
        }
        return ranges
    }

    /// Bytes of one block in all layers.
    public static func byteCountPerBlock(
        layers: [CacheLayer], blockSize: Int, type: CacheType
    ) -> Int {
        layers.reduce(0) { $0 + 2 * type.tokenByteCount(of: $1) } * blockSize
    }

    /// How many blocks fit into `byteCount` bytes while `device` can allocate and address each range.
    public static func blockCount(
        fitting byteCount: Int, layers: [CacheLayer], blockSize: Int, type: CacheType, device: DeviceInfo
    ) -> Int {
        let perBlock = byteCountPerBlock(layers: layers, blockSize: blockSize, type: type)
        let widest = layers.map { type.tokenByteCount(of: $0) }.max() ?? 1
        // The pool rounds each of a layer's two ranges up.
        let usable = max(0, byteCount - layers.count * 2 * MemoryPool.alignment)
        let longest = min(device.maxRangeByteCount, device.maxAllocationByteCount)
        let addressable = longest / (widest * blockSize)
        return min(usable / max(perBlock, 1), addressable)
    }
}
