import Backends
import CVulkan

/// A few command buffers that are recorded and submitted one after another, and the fence behind the last.
final class CommandBuffers {
    private let device: VulkanDevice
    private let pool: VkCommandPool
    private let fence: VkFence
    private let buffers: [VkCommandBuffer]

    init(_ device: VulkanDevice, count: Int) throws(BackendError) {
        self.device = device
        var info = VkCommandPoolCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO
        info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT.rawValue
        info.queueFamilyIndex = device.queueFamily
        var pool: VkCommandPool?
        try device.check(device.functions.CreateCommandPool(device.handle, &info, nil, &pool), "vkCreateCommandPool")
        guard let pool else { throw .driver(call: "vkCreateCommandPool", result: "no pool") }
        var fenceInfo = VkFenceCreateInfo()
        fenceInfo.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO
        var fence: VkFence?
        let fenceResult = device.functions.CreateFence(device.handle, &fenceInfo, nil, &fence)
        var request = VkCommandBufferAllocateInfo()
        request.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO
        request.commandPool = pool
        request.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY
        request.commandBufferCount = UInt32(count)
        var buffers = [VkCommandBuffer?](repeating: nil, count: count)
        let allocated = device.functions.AllocateCommandBuffers(device.handle, &request, &buffers)
        guard let fence, allocated == VK_SUCCESS else {
            if let fence { device.functions.DestroyFence(device.handle, fence, nil) }
            device.functions.DestroyCommandPool(device.handle, pool, nil)
            throw .driver(call: "vkAllocateCommandBuffers", result: min(fenceResult, allocated).name)
        }
        self.pool = pool
        self.fence = fence
        self.buffers = buffers.compactMap { $0 }
    }

    deinit {
        device.functions.DestroyFence(device.handle, fence, nil)
        device.functions.DestroyCommandPool(device.handle, pool, nil)
    }

    var count: Int { buffers.count }

    /// Starts recording into buffer `index`, whose last submission is done. What is recorded may be submitted again.
    func begin(_ index: Int) throws(BackendError) -> VkCommandBuffer {
        var info = VkCommandBufferBeginInfo()
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO
        try device.check(device.functions.BeginCommandBuffer(buffers[index], &info), "vkBeginCommandBuffer")
        return buffers[index]
    }

    /// Ends and submits buffer `index`; after the last, `wait` returns when all are done.
    func submit(_ index: Int, isLast: Bool) throws(BackendError) {
        try device.check(device.functions.EndCommandBuffer(buffers[index]), "vkEndCommandBuffer")
        try device.submit(buffers[index], fence: isLast ? fence : nil)
    }

    /// Submits buffer 0 once more, as it was recorded, when its last submission is done.
    func submitAgain() throws(BackendError) { try device.submit(buffers[0], fence: fence) }

    /// Waits until everything submitted is done.
    func wait() throws(BackendError) {
        try device.wait(for: fence)
    }

    /// Makes what kernels wrote before visible to kernels that come after.
    func kernelBarrier(_ buffer: VkCommandBuffer) {
        barrier(
            buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT.rawValue, writes: VK_ACCESS_SHADER_WRITE_BIT.rawValue,
            before: VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT.rawValue,
            VK_ACCESS_SHADER_READ_BIT.rawValue | VK_ACCESS_SHADER_WRITE_BIT.rawValue)
    }

    /// Makes what was written before visible to whatever comes after: kernels, copies and the host.
    func barrier(_ buffer: VkCommandBuffer) {
        let stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT.rawValue | VK_PIPELINE_STAGE_TRANSFER_BIT.rawValue
        barrier(
            buffer, stages, writes: VK_ACCESS_SHADER_WRITE_BIT.rawValue | VK_ACCESS_TRANSFER_WRITE_BIT.rawValue,
            before: stages | VK_PIPELINE_STAGE_HOST_BIT.rawValue,
            VK_ACCESS_SHADER_READ_BIT.rawValue | VK_ACCESS_SHADER_WRITE_BIT.rawValue
                | VK_ACCESS_TRANSFER_READ_BIT.rawValue | VK_ACCESS_TRANSFER_WRITE_BIT.rawValue
                | VK_ACCESS_HOST_READ_BIT.rawValue)
    }

    private func barrier(
        _ buffer: VkCommandBuffer, _ stages: VkPipelineStageFlags, writes: VkAccessFlags,
        before later: VkPipelineStageFlags, _ accesses: VkAccessFlags
    ) {
        var barrier = VkMemoryBarrier()
        barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER
        barrier.srcAccessMask = writes
        barrier.dstAccessMask = accesses
        device.functions.CmdPipelineBarrier(buffer, stages, later, 0, 1, &barrier, 0, nil, 0, nil)
        device.counters.add(to: \.barriers)
    }
}

private func min(_ left: VkResult, _ right: VkResult) -> VkResult { left.rawValue < right.rawValue ? left : right }
