public import SharedValues

extension KVCacheMemory {
    /// Pairs of ranges that a copy of `direction` reads and writes: keys and values of every physical layer.
    public func ranges(
        _ direction: BlockMove.Direction
    ) -> [(source: MemoryRange, target: MemoryRange, blockByteCount: Int)] {
        let (sources, targets) =
            switch direction {
            case .copy: (physicalLayers, physicalLayers)
            case .swapOut: (physicalLayers, swapLayers)
            case .swapIn: (swapLayers, physicalLayers)
            }
        return layout.physicalBlockByteCounts.enumerated().flatMap { index, byteCount in
            [
                (sources[index].keys, targets[index].keys, byteCount),
                (sources[index].values, targets[index].values, byteCount),
            ]
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
