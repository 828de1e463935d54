public import Tensors

/// The shape of one layer's cached keys and values.
public struct CacheLayer: Sendable, Hashable {
    /// Heads of the keys and of the values.
    public let keyValueHeadCount: Int
    /// Numbers in a head.
    public let headSize: Int

    /// A layer of the given shape.
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

    /// Blocks that fit.
    public let blockCount: Int
    /// Tokens in a block.
    public let blockSize: Int
    /// How each number is stored.
    public let elementType: ElementType
    /// One entry a cache layer of the plan.
    public let layers: [Layer]

    /// Takes the memory of `blockCount` blocks from `pool`.
    public init(
        layers: [CacheLayer], blockCount: Int, blockSize: Int, elementType: ElementType, pool: MemoryPool
    ) throws(BackendError) {
        self.blockCount = blockCount
        self.blockSize = blockSize
        self.elementType = elementType
        var ranges: [Layer] = []
        for layer in layers {
            let byteCount = blockCount * blockSize * layer.width * elementType.byteCount
            ranges.append(
                Layer(
                    keys: try pool.allocate(byteCount: byteCount, for: .cache),
                    values: try pool.allocate(byteCount: byteCount, for: .cache)))
        }
        self.layers = ranges
    }

    /// Bytes that one block takes over all layers.
    public static func byteCountPerBlock(
        layers: [CacheLayer], blockSize: Int, elementType: ElementType
    ) -> Int {
        layers.reduce(0) { $0 + 2 * $1.width } * blockSize * elementType.byteCount
    }

    /// How many blocks fit into `byteCount` bytes without a range that `device` could not address.
    public static func blockCount(
        fitting byteCount: Int, layers: [CacheLayer], blockSize: Int, elementType: ElementType, device: DeviceInfo
    ) -> Int {
        let perBlock = byteCountPerBlock(layers: layers, blockSize: blockSize, elementType: elementType)
        let widest = layers.map(\.width).max() ?? 1
        // A layer's range starts on an aligned offset: leave room for the alignment of each.
        let usable = max(0, byteCount - layers.count * 2 * MemoryPool.alignment)
        let addressable = device.maxRangeByteCount / (widest * blockSize * elementType.byteCount)
        return min(usable / max(perBlock, 1), addressable)
    }
}
