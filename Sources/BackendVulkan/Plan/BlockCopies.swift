import Backends
import CVulkan
import SharedValues

/// Copies of whole blocks between the cache and its swap space, which is the host's memory: those of a step are one
/// submission, and the host does not wait for it. The step's own submission follows on the same queue, behind a barrier,
/// so the device copies while the host writes the batch and records it.
final class BlockCopies {
    private let device: VulkanDevice
    private let commands: CommandBuffers
    private var isPending = false

    init(_ device: VulkanDevice) throws(BackendError) {
        self.device = device
        commands = try CommandBuffers(device, count: 1)
    }

    deinit {
        // A lost device throws, and there is nothing to wait for.
        try? wait()
    }

    /// Submits `copies`, with a barrier behind each of their rounds.
    func submit(_ copies: [BlockMove], of cache: KVCacheMemory) throws(BackendError) {
        guard !copies.isEmpty else { return }
        // Usually done, because the host has waited for a step since.
        try wait()
        let buffer = try commands.begin(0)
        for direction in BlockMove.Direction.allCases {
            let round = copies.filter { $0.direction == direction }
            guard !round.isEmpty else { continue }
            let stretches = Self.stretches(of: round)
            for (source, target, byteCount) in cache.ranges(direction) {
                record(stretches, from: source, to: target, blockByteCount: byteCount, in: buffer)
            }
            commands.barrier(buffer)
        }
        try commands.submit(0, isLast: true)
        isPending = true
    }

    /// Waits for what was submitted.
    func wait() throws(BackendError) {
        guard isPending else { return }
        isPending = false
        try commands.wait()
    }

    /// Blocks that follow each other in both pools are one region.
    private struct Stretch {
        let source: Int
        let target: Int
        var count = 1
    }

    private static func stretches(of round: [BlockMove]) -> [Stretch] {
        var stretches: [Stretch] = []
        for copy in round {
            let (source, target) = (Int(copy.source), Int(copy.target))
            if let last = stretches.last, last.source + last.count == source, last.target + last.count == target {
                stretches[stretches.count - 1].count += 1
            } else {
                stretches.append(Stretch(source: source, target: target))
            }
        }
        return stretches
    }

    private func record(
        _ stretches: [Stretch], from source: MemoryRange, to target: MemoryRange, blockByteCount: Int,
        in buffer: VkCommandBuffer
    ) {
        guard let from = source.buffer as? VulkanBuffer, let to = target.buffer as? VulkanBuffer else {
            preconditionFailure("memory of another backend")
        }
        let regions = stretches.map { stretch in
            let (first, second) = (stretch.source * blockByteCount, stretch.target * blockByteCount)
            let byteCount = stretch.count * blockByteCount
            precondition(
                first >= 0 && first + byteCount <= source.byteCount && second >= 0
                    && second + byteCount <= target.byteCount,
                "a copy of a block that does not exist")
            return VkBufferCopy(
                srcOffset: VkDeviceSize(source.byteOffset + first), dstOffset: VkDeviceSize(target.byteOffset + second),
                size: VkDeviceSize(byteCount))
        }
        device.functions.CmdCopyBuffer(buffer, from.handle, to.handle, UInt32(regions.count), regions)
    }
}
