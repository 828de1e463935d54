import Backends
import CVulkan

/// The descriptor sets of a program, allocated and written once.
final class DescriptorSets {
    private let pool: VkDescriptorPool
    private let device: VulkanDevice

    /// Allocates a set for every dispatch of `phases` and stores it there.
    init(for phases: inout [DispatchPhase], device: VulkanDevice) throws(BackendError) {
        self.device = device
        let dispatches = phases.flatMap(\.dispatches)
        var size = VkDescriptorPoolSize()
        size.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
        size.descriptorCount = UInt32(max(1, dispatches.reduce(0) { $0 + $1.bindings.count }))
        var pool: VkDescriptorPool?
        let result = withUnsafePointer(to: &size) { size in
            var info = VkDescriptorPoolCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO
            info.maxSets = UInt32(max(1, dispatches.count))
            info.poolSizeCount = 1
            info.pPoolSizes = size
            return device.functions.CreateDescriptorPool(device.handle, &info, nil, &pool)
        }
        try device.check(result, "vkCreateDescriptorPool")
        guard let pool else { throw .driver(call: "vkCreateDescriptorPool", result: "no pool") }
        self.pool = pool
        for phase in phases.indices {
            for index in phases[phase].dispatches.indices {
                phases[phase].dispatches[index].set = try makeSet(phases[phase].dispatches[index])
            }
        }
    }

    deinit { device.functions.DestroyDescriptorPool(device.handle, pool, nil) }

    private func makeSet(_ dispatch: Dispatch) throws(BackendError) -> VkDescriptorSet {
        var layout: VkDescriptorSetLayout? = dispatch.kernels[0].pipeline.setLayout
        var set: VkDescriptorSet?
        let result = withUnsafePointer(to: &layout) { layout in
            var info = VkDescriptorSetAllocateInfo()
            info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO
            info.descriptorPool = pool
            info.descriptorSetCount = 1
            info.pSetLayouts = layout
            return device.functions.AllocateDescriptorSets(device.handle, &info, &set)
        }
        try device.check(result, "vkAllocateDescriptorSets")
        guard let set else { throw .driver(call: "vkAllocateDescriptorSets", result: "no set") }
        let buffers = dispatch.bindings.map { range -> VkDescriptorBufferInfo in
            guard let buffer = range.buffer as? VulkanBuffer else { preconditionFailure("memory of another backend") }
            return VkDescriptorBufferInfo(
                buffer: buffer.handle, offset: VkDeviceSize(range.byteOffset), range: VkDeviceSize(range.byteCount))
        }
        buffers.withUnsafeBufferPointer { buffers in
            var write = VkWriteDescriptorSet()
            write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET
            write.dstSet = set
            write.descriptorCount = UInt32(buffers.count)
            write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
            write.pBufferInfo = buffers.baseAddress
            device.functions.UpdateDescriptorSets(device.handle, 1, &write, 0, nil)
        }
        device.counters.add(buffers.count, to: \.descriptorUpdates)
        return set
    }
}
