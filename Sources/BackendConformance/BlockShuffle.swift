import Backends
import SharedValues

/// Moves the blocks of sequences between two steps, through the swap space or from block to block. Blocks that are left
/// are poisoned, so that a read from them shows in the logits.
struct BlockShuffle {
    private let cache: KVCacheMemory
    private var free: [Int32]

    /// Moves blocks of `cache`; no sequence uses those of `free`.
    init(_ cache: KVCacheMemory, free: [Int32]) {
        self.cache = cache
        self.free = free
    }

    /// Moves each block of `tables`, one table for each sequence and cache group: some through the swap space, to a block that was swapped out in the same call; the
    /// others directly to a free block, as long as there are any.
    mutating func shuffle(
        _ tables: inout [[[Int32]]], on plan: any PreparedPlan, _ random: inout SplitMix64
    ) throws(BackendError) {
        var copies: [BlockMove] = []
        var abandoned: [Int32] = []
        var swapping: [(sequence: Int, group: Int, index: Int)] = []
        for (sequence, group) in tables.indices.flatMap({ sequence in
            tables[sequence].indices.map { (sequence, $0) }
        }) {
            for (index, block) in tables[sequence][group].enumerated() where block >= 0 {
                if swapping.count < cache.swapBlockCount, Bool.random(using: &random) {
                    swapping.append((sequence, group, index))
                } else if let target = free.popLast() {
                    copies.append(BlockMove(.copy, from: block, to: target))
                    abandoned.append(block)
                    tables[sequence][group][index] = target
                }
            }
        }
        let blocks = swapping.map { tables[$0.sequence][$0.group][$0.index] }
        let swapBlocks = (0..<Int32(cache.swapBlockCount)).shuffled(using: &random)
        for (number, (sequence, group, index)) in swapping.enumerated() {
            let target = blocks[(number + 1) % blocks.count]
            copies.append(BlockMove(.swapOut, from: blocks[number], to: swapBlocks[number]))
            copies.append(BlockMove(.swapIn, from: swapBlocks[number], to: target))
            tables[sequence][group][index] = target
        }
        try plan.copyBlocks(copies.shuffled(using: &random))
        try plan.finishCopies()
        try poison(abandoned)
        free += abandoned.shuffled(using: &random)
    }

    private func poison(_ blocks: [Int32]) throws(BackendError) {
        for (_, range, byteCount) in cache.ranges(.copy) {
            let bytes = [UInt8](repeating: 0xFF, count: byteCount)
            for block in blocks {
                try bytes.withUnsafeBufferPointer { bytes throws(BackendError) in
                    try range.buffer.write(
                        UnsafeRawBufferPointer(bytes), at: range.byteOffset + Int(block) * byteCount)
                }
            }
        }
    }
}
