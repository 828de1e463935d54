import Backends
import CVulkan

/// A buffer with memory of its own.
final class VulkanBuffer: DeviceBuffer, @unchecked Sendable {
    // Sendable: everything is set once; the users of a range guard its content.
    let byteCount: Int
    let hostPointer: UnsafeMutableRawPointer?
    let handle: VkBuffer
    /// Whether the host reads it through its caches, and not number by number over the bus.
    let isHostCached: Bool
    private let memory: VkDeviceMemory
    private let device: VulkanDevice
    private let transfers: Transfers?

    /// Throws `outOfMemory` where the device refuses. `transfers` moves bytes that the host cannot address.
    init(
        byteCount: Int, use: String, location: MemoryTypes.Location, device: VulkanDevice, transfers: Transfers?
    ) throws(BackendError) {
        let functions = device.functions
        guard byteCount <= device.capabilities.maxAllocationByteCount else {
            throw .rangeTooLarge(
                use: use, byteCount: byteCount, limit: device.capabilities.maxAllocationByteCount)
        }
        var info = VkBufferCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO
        info.size = VkDeviceSize(max(byteCount, 4))
        info.usage =
            VK_BUFFER_USAGE_STORAGE_BUFFER_BIT.rawValue | VK_BUFFER_USAGE_TRANSFER_SRC_BIT.rawValue
            | VK_BUFFER_USAGE_TRANSFER_DST_BIT.rawValue
        info.sharingMode = VK_SHARING_MODE_EXCLUSIVE
        var buffer: VkBuffer?
        let created = functions.CreateBuffer(device.handle, &info, nil, &buffer)
        guard created == VK_SUCCESS, let buffer else {
            throw Self.refusal(created, "vkCreateBuffer", use, byteCount)
        }
        var needs = VkMemoryRequirements()
        functions.GetBufferMemoryRequirements(device.handle, buffer, &needs)
        guard
            let type = MemoryTypes(device.physical.memory).type(for: location, allowed: needs.memoryTypeBits)
        else {
            functions.DestroyBuffer(device.handle, buffer, nil)
            throw .outOfMemory(use: use, byteCount: byteCount, available: 0)
        }
        var request = VkMemoryAllocateInfo()
        request.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO
        request.allocationSize = needs.size
        request.memoryTypeIndex = type.index
        var memory: VkDeviceMemory?
        device.counters.add(to: \.allocations)
        let allocated =
            device.faults.strike(.allocate) ?? functions.AllocateMemory(device.handle, &request, nil, &memory)
        guard allocated == VK_SUCCESS, let memory else {
            functions.DestroyBuffer(device.handle, buffer, nil)
            throw Self.refusal(allocated, "vkAllocateMemory", use, byteCount)
        }
        var pointer: UnsafeMutableRawPointer?
        var bound = functions.BindBufferMemory(device.handle, buffer, memory, 0)
        if bound == VK_SUCCESS, type.isMapped {
            bound = functions.MapMemory(device.handle, memory, 0, VkDeviceSize.max, 0, &pointer)
        }
        guard bound == VK_SUCCESS else {
            functions.DestroyBuffer(device.handle, buffer, nil)
            functions.FreeMemory(device.handle, memory, nil)
            throw Self.refusal(bound, "vkMapMemory", use, byteCount)
        }
        self.byteCount = byteCount
        hostPointer = pointer
        isHostCached = type.isCached
        handle = buffer
        self.memory = memory
        self.device = device
        self.transfers = transfers
    }

    deinit {
        device.functions.DestroyBuffer(device.handle, handle, nil)
        device.functions.FreeMemory(device.handle, memory, nil)
    }

    private static func refusal(_ result: VkResult, _ call: String, _ use: String, _ byteCount: Int) -> BackendError {
        switch result {
        case VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_MEMORY_MAP_FAILED:
            .outOfMemory(use: use, byteCount: byteCount, available: 0)
        default: .driver(call: call, result: result.name)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int) throws(BackendError) {
        guard let hostPointer else {
            guard let transfers else {
                preconditionFailure("memory that the host cannot address, without a staging buffer")
            }
            return try transfers.write(bytes, to: self, at: byteOffset)
        }
        UnsafeMutableRawBufferPointer(start: hostPointer + byteOffset, count: bytes.count).copyMemory(from: bytes)
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at byteOffset: Int) throws(BackendError) {
        guard let hostPointer else {
            guard let transfers else {
                preconditionFailure("memory that the host cannot address, without a staging buffer")
            }
            return try transfers.read(into: bytes, from: self, at: byteOffset)
        }
        bytes.copyMemory(from: UnsafeRawBufferPointer(start: hostPointer + byteOffset, count: bytes.count))
    }
}
