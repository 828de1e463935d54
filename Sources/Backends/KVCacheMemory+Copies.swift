public import SharedValues

extension KVCacheMemory {
    /// Bytes of one block of a range of `layer`, keys or values.
    public func blockByteCount(layer: Int) -> Int { layers[layer].keys.byteCount / blockCount }

    /// Pairs of ranges that a copy of `direction` reads and writes: keys and values of every layer.
    public func ranges(
        _ direction: BlockMove.Direction
    ) -> [(source: MemoryRange, target: MemoryRange, blockByteCount: Int)] {
        layers.indices.flatMap { index -> [(MemoryRange, MemoryRange, Int)] in
            let (cache, size) = (layers[index], blockByteCount(layer: index))
            switch direction {
            case .copy: return [(cache.keys, cache.keys, size), (cache.values, cache.values, size)]
            case .swapOut:
                let swap = swapLayers[index]
                return [(cache.keys, swap.keys, size), (cache.values, swap.values, size)]
            case .swapIn:
                let swap = swapLayers[index]
                return [(swap.keys, cache.keys, size), (swap.values, cache.values, size)]
            }
        }
    }

    /// Makes `copies` round by round with `memcpy`.
    /// Precondition: cache and swap space are in the host's memory, and the blocks exist.
    public func copyOnHost(_ copies: [BlockMove]) {
        for direction in BlockMove.Direction.allCases {
            let round = copies.filter { $0.direction == direction }
            guard !round.isEmpty else { continue }
            for (source, target, byteCount) in ranges(direction) {
                guard let from = source.hostPointer, let to = target.hostPointer else {
                    preconditionFailure("the cache is not on the host")
                }
                for copy in round {
                    let (first, second) = (Int(copy.source) * byteCount, Int(copy.target) * byteCount)
                    precondition(
                        first >= 0 && first < source.byteCount && second >= 0 && second < target.byteCount,
                        "a copy of a block that does not exist")
                    (to + second).copyMemory(from: from + first, byteCount: byteCount)
                }
            }
        }
    }
}
