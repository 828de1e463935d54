import Backends
import CVulkan
import Synchronization

/// Copies between the host and device memory that it cannot address, through a staging buffer. Never part of a step.
final class Transfers: Sendable {
    private struct Staging {
        let buffer: VulkanBuffer
        let commands: CommandBuffers
    }

    private let device: VulkanDevice
    private let staging: Mutex<Staging>
    private static let stagingByteCount = 16 << 20

    init(_ device: VulkanDevice) throws(BackendError) {
        self.device = device
        let staging = Staging(
            buffer: try VulkanBuffer(
                byteCount: min(Self.stagingByteCount, device.capabilities.maxAllocationByteCount), use: "staging",
                location: .host, device: device, transfers: nil),
            commands: try CommandBuffers(device, count: 1))
        self.staging = Mutex(staging)
    }

    func write(_ bytes: UnsafeRawBufferPointer, to target: VulkanBuffer, at byteOffset: Int) throws(BackendError) {
        try staging.withLock { staging throws(BackendError) in
            var done = 0
            while done < bytes.count {
                let count = min(bytes.count - done, staging.buffer.byteCount)
                try staging.buffer.write(UnsafeRawBufferPointer(rebasing: bytes[done..<done + count]), at: 0)
                try copy(
                    staging.buffer, 0, to: target, byteOffset + done, byteCount: count, staging.commands)
                done += count
            }
        }
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, from source: VulkanBuffer, at byteOffset: Int)
        throws(BackendError)
    {
        try staging.withLock { staging throws(BackendError) in
            var done = 0
            while done < bytes.count {
                let count = min(bytes.count - done, staging.buffer.byteCount)
                try copy(source, byteOffset + done, to: staging.buffer, 0, byteCount: count, staging.commands)
                try staging.buffer.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: bytes[done..<done + count]), at: 0)
                done += count
            }
        }
    }

    private func copy(
        _ source: VulkanBuffer, _ sourceOffset: Int, to target: VulkanBuffer, _ targetOffset: Int, byteCount: Int,
        _ commands: CommandBuffers
    ) throws(BackendError) {
        let buffer = try commands.begin(0)
        var region = VkBufferCopy(
            srcOffset: VkDeviceSize(sourceOffset), dstOffset: VkDeviceSize(targetOffset), size: VkDeviceSize(byteCount))
        device.functions.CmdCopyBuffer(buffer, source.handle, target.handle, 1, &region)
        commands.barrier(buffer)
        try commands.submit(0, isLast: true)
        try commands.wait()
    }
}
