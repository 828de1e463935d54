public import SharedValues

/// Where the keys and values of each cache layer lie, and which block table leads to them.
///
/// Layers with the same sliding window are cut into *groups* of about the same number of layers. The memory consists of
/// *physical layers*, each a range of keys and a range of values. A physical layer is used by one layer of each group: a
/// block belongs to one group at a time, and holds keys and values of that group's layers in all physical layers. So all
/// groups take blocks from one pool, and copies of blocks need not know of groups (vLLM's hybrid KV cache works alike).
///
/// Gemma 3 270M has 15 layers with a window of 512 and 3 without: five groups and one, of three layers each, in three
/// physical layers.
public struct CacheLayout: Sendable, Hashable {
    /// One cache layer of the plan.
    public struct Layer: Sendable, Hashable {
        public let shape: CacheLayer
        /// The index of its group in `groups`.
        public let group: Int
        /// The index of its memory in the physical layers.
        public let physicalLayer: Int
        /// Tokens in a block.
        public let blockSize: Int
        /// Bytes of one token's keys, or values.
        public let tokenByteCount: Int
        /// Bytes from one block of keys, or values, to the next. At least those of its tokens: the rest is unused where
        /// layers of other groups need more.
        public let blockByteCount: Int

        /// Byte of the keys, or values, of the token in `slot`, which is `block * blockSize + offset`.
        @inlinable
        public func byteOffset(ofSlot slot: Int) -> Int {
            slot / blockSize * blockByteCount + slot % blockSize * tokenByteCount
        }
    }

    /// The groups; at least one.
    public let groups: [CacheGroup]
    /// One for each cache layer of the plan.
    public let layers: [Layer]
    /// Bytes of one block of keys, or values, of each physical layer.
    public let physicalBlockByteCounts: [Int]
    public let type: CacheType

    /// The layout of `layers` in one group that keeps all positions.
    public init(layers: [CacheLayer], blockSize: Int, type: CacheType) {
        self.init(layers, in: [Group(window: nil, layers: Array(layers.indices))], blockSize: blockSize, type: type)
    }

    /// Layers that share a block table.
    struct Group {
        let window: Int?
        /// Their indices.
        let layers: [Int]
    }

    /// The layout of `shapes` in `members`. The group whose tokens take the most bytes has blocks of `blockSize` tokens. A
    /// group whose tokens take `k` times fewer, where `k` is a power of two, has `k` times as many in a block. For numbers
    /// between, blocks are padded.
    init(_ shapes: [CacheLayer], in members: [Group], blockSize: Int, type: CacheType) {
        let widths = shapes.map { type.tokenByteCount(of: $0) }
        let widest = widths.max() ?? 1
        var groups: [CacheGroup] = []
        // Wide layers share a physical layer with wide ones. A single group keeps its order.
        let sorted = members.map { member in
            members.count == 1 ? member.layers : member.layers.sorted { (widths[$1], $0) < (widths[$0], $1) }
        }
        for (member, layers) in zip(members, sorted) {
            let width = layers.map { widths[$0] }.max() ?? widest
            var size = blockSize
            while size * 2 <= CacheGroup.maximumBlockSize, size * 2 * width <= blockSize * widest { size *= 2 }
            groups.append(CacheGroup(blockSize: size, slidingWindow: member.window))
        }
        var blockByteCounts: [Int] = []
        for position in 0..<(sorted.map(\.count).max() ?? 0) {
            let sizes = zip(groups, sorted).compactMap { group, layers in
                position < layers.count ? group.blockSize * widths[layers[position]] : nil
            }
            let largest = sizes.max() ?? 0
            // Kernels read up to 16 bytes at once, which must not straddle the beginning of a block.
            blockByteCounts.append(Set(sizes).count == 1 ? largest : largest.roundedUp(to: 16))
        }
        var placed: [Layer?] = Array(repeating: nil, count: shapes.count)
        for (number, layers) in sorted.enumerated() {
            for (position, layer) in layers.enumerated() {
                placed[layer] = Layer(
                    shape: shapes[layer], group: number, physicalLayer: position,
                    blockSize: groups[number].blockSize, tokenByteCount: widths[layer],
                    blockByteCount: blockByteCounts[position])
            }
        }
        layers = placed.compactMap { $0 }
        precondition(layers.count == shapes.count, "a cache layer without a group")
        self.groups = groups
        self.type = type
        physicalBlockByteCounts = blockByteCounts
    }

    /// Bytes of one block: keys and values of all physical layers.
    public var blockByteCount: Int { 2 * physicalBlockByteCounts.reduce(0, +) }

    /// Bytes of the keys and values of one token in all layers, without any padding.
    public var tokenByteCount: Int { 2 * layers.reduce(0) { $0 + $1.tokenByteCount } }

    /// Maximum number of bytes that a memory pool loses to the alignment of the ranges.
    public var alignmentByteCount: Int { 2 * physicalBlockByteCounts.count * MemoryPool.alignment }

    /// How many blocks fit into `byteCount` bytes while `device` can allocate and address each range.
    public func blockCount(fitting byteCount: Int, on device: DeviceInfo) -> Int {
        let usable = max(0, byteCount - alignmentByteCount)
        let longest = min(device.maxRangeByteCount, device.maxAllocationByteCount)
        let addressable = longest / max(physicalBlockByteCounts.max() ?? 1, 1)
        return min(usable / max(blockByteCount, 1), addressable)
    }
}
