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

/// The bytes behind the blocks: for each physical layer of a layout one range of keys and one of values, each
/// `[blockCount, blockByteCount]`. A layer's block is `[blockSize, keyValueHeads, headSize]`, and padding in some layouts.
public struct KVCacheMemory: Sendable {
    /// The two ranges of one physical layer.
    public struct Layer: Sendable {
        public let keys: MemoryRange
        public let values: MemoryRange
    }

    public let layout: CacheLayout
    public let blockCount: Int
    /// Each used by a layer of every group.
    public let physicalLayers: [Layer]
    /// Blocks that the swap space holds.
    public let swapBlockCount: Int
    /// The swap space: the same physical layers in the host's memory. Empty without swap space.
    public let swapLayers: [Layer]

    /// Allocates the memory of `blockCount` blocks from `pool`, and that of `swapBlockCount` blocks from `swapPool`.
    /// Precondition: `swapPool` is given where `swapBlockCount` is not 0.
    public init(
        _ layout: CacheLayout, blockCount: Int, pool: MemoryPool, swapBlockCount: Int = 0, swapPool: MemoryPool? = nil
    ) throws(BackendError) {
        self.layout = layout
        self.blockCount = blockCount
        self.swapBlockCount = swapBlockCount
        physicalLayers = try Self.ranges(layout, blockCount, from: pool, for: .cache)
        guard swapBlockCount > 0 else {
            swapLayers = []
            return
        }
        guard let swapPool else { preconditionFailure("a swap space without memory") }
        swapLayers = try Self.ranges(layout, swapBlockCount, from: swapPool, for: .swap)
    }

    /// The same for `layers` in one group that keeps all positions.
    public init(
        layers: [CacheLayer], blockCount: Int, blockSize: Int, type: CacheType, pool: MemoryPool,
        swapBlockCount: Int = 0, swapPool: MemoryPool? = nil
    ) throws(BackendError) {
        try self.init(
            CacheLayout(layers: layers, blockSize: blockSize, type: type), blockCount: blockCount, pool: pool,
            swapBlockCount: swapBlockCount, swapPool: swapPool)
    }

    private static func ranges(
        _ layout: CacheLayout, _ blockCount: Int, from pool: MemoryPool, for use: BufferUsage
    ) throws(BackendError) -> [Layer] {
        var ranges: [Layer] = []
        for byteCount in layout.physicalBlockByteCounts {
            ranges.append(
                Layer(
                    keys: try pool.allocate(byteCount: byteCount * blockCount, for: use),
                    values: try pool.allocate(byteCount: byteCount * blockCount, for: use)))
        }
        return ranges
    }

    /// How keys and values are stored.
    public var type: CacheType { layout.type }

    /// One for each cache layer of the plan; layers of different groups share theirs.
    public var layers: [Layer] { layout.layers.map { physicalLayers[$0.physicalLayer] } }
}
