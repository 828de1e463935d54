import Backends
import CVulkan
import Synchronization

/// A device in use: its queue and its functions.
final class VulkanDevice: @unchecked Sendable {
    // Sendable: everything is set once but what the mutex holds, which also guards the queue, the one handle that Vulkan
    // wants synchronised from outside.
    let handle: VkDevice
    let functions: quire_device_functions
    let physical: PhysicalDevice
    /// With the configuration's limits.
    let capabilities: DeviceCapabilities
    let counters: SharedCounters
    let faults: FaultInjector
    let queueFamily: UInt32
    private let instance: VulkanInstance
    private let queue: VkQueue
    /// Held while the queue is used.
    private let isLost = Mutex(false)

    init(
        _ physical: PhysicalDevice, capabilities: DeviceCapabilities, instance: VulkanInstance,
        counters: SharedCounters, faults: FaultInjector
    ) throws(BackendError) {
        self.physical = physical
        self.capabilities = capabilities
        self.instance = instance
        self.counters = counters
        self.faults = faults
        let name = physical.facts.name
        if let obstacle = physical.obstacle { throw .unavailable(device: name, reason: "\(obstacle)") }
        guard let family = physical.queueFamily else { preconditionFailure("a device without obstacle has a queue") }
        queueFamily = family
        let created = Self.create(physical, capabilities, family, instance.functions)
        guard created.result == VK_SUCCESS, let device = created.device else {
            throw .unavailable(device: name, reason: "vkCreateDevice failed with \(created.result.name)")
        }
        handle = device
        let table = UnsafeMutablePointer<quire_device_functions>.allocate(capacity: 1)
        defer { table.deallocate() }
        if let missing = quire_load_device_functions(instance.functions.GetDeviceProcAddr, device, table) {
            throw .unavailable(device: name, reason: "the driver has no \(String(cString: missing))")
        }
        functions = table.move()
        var queue: VkQueue?
        functions.GetDeviceQueue(device, family, 0, &queue)
        guard let queue else { throw .unavailable(device: name, reason: "no queue") }
        self.queue = queue
    }

    deinit {
        _ = functions.DeviceWaitIdle(handle)
        functions.DestroyDevice(handle, nil)
    }

    private static func create(
        _ physical: PhysicalDevice, _ capabilities: DeviceCapabilities, _ family: UInt32,
        _ functions: quire_instance_functions
    ) -> (result: VkResult, device: VkDevice?) {
        var device: VkDevice?
        var float16 = VkPhysicalDeviceShaderFloat16Int8Features()
        float16.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES
        float16.shaderFloat16 = VkBool32(capabilities.hasFloat16 ? VK_TRUE : VK_FALSE)
        var products = VkPhysicalDeviceShaderIntegerDotProductFeatures()
        products.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES
        products.shaderIntegerDotProduct = VkBool32(VK_TRUE)
        // Drivers that are not fully conformant (MoltenVK) require this extension to be enabled.
        let portability = "VK_KHR_portability_subset"
        var extensions = physical.extensions.contains(portability) ? [portability] : []
        if capabilities.hasIntegerProducts { extensions.append(PhysicalDevice.integerProductExtension) }
        let result = CStrings.with(extensions) { names in
            withUnsafePointer(to: Float(1)) { priority in
                var queue = VkDeviceQueueCreateInfo()
                queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO
                queue.queueFamilyIndex = family
                queue.queueCount = 1
                queue.pQueuePriorities = priority
                return withUnsafePointer(to: &queue) { queue in
                    withUnsafeMutablePointer(to: &float16) { float16 in
                        withUnsafeMutablePointer(to: &products) { products in
                            if capabilities.hasIntegerProducts {
                                float16.pointee.pNext = UnsafeMutableRawPointer(products)
                            }
                            var info = VkDeviceCreateInfo()
                            info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO
                            info.pNext = UnsafeRawPointer(float16)
                            info.queueCreateInfoCount = 1
                            info.pQueueCreateInfos = queue
                            info.enabledExtensionCount = UInt32(names.count)
                            info.ppEnabledExtensionNames = names.baseAddress
                            return functions.CreateDevice(physical.handle, &info, nil, &device)
                        }
                    }
                }
            }
        }
        return (result, device)
    }

    /// Submits one command buffer; `fence` is signalled when everything submitted so far is done.
    func submit(_ commands: VkCommandBuffer, fence: VkFence?) throws(BackendError) {
        counters.add(to: \.submissions)
        let result: VkResult = isLost.withLock { isLost in
            guard !isLost else { return VK_ERROR_DEVICE_LOST }
            var buffer: VkCommandBuffer? = commands
            let result = withUnsafePointer(to: &buffer) { buffer in
                var info = VkSubmitInfo()
                info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO
                info.commandBufferCount = 1
                info.pCommandBuffers = buffer
                return faults.strike(.submit) ?? functions.QueueSubmit(queue, 1, &info, fence)
            }
            if result == VK_ERROR_DEVICE_LOST { isLost = true }
            return result
        }
        try check(result, "vkQueueSubmit")
    }

    /// Waits until no submission is in flight, or the device is lost.
    func waitUntilIdle() { isLost.withLock { _ in _ = functions.DeviceWaitIdle(handle) } }

    /// Waits for `fence` and resets it.
    func wait(for fence: VkFence) throws(BackendError) {
        var fence: VkFence? = fence
        // A driver reports a hanging GPU long before. A small GPU may need minutes for a long prompt, and a software driver
        // longer.
        let isProcessor = physical.capabilities.isProcessor
        let seconds: UInt64 = isProcessor ? 3600 : 600
        var result = VK_NOT_READY
        if !isProcessor {
            // Waking up takes longer than a small kernel, so the fence of a step of a few milliseconds is polled.
            let start = ContinuousClock.now
            while result == VK_NOT_READY, start.duration(to: .now) < .milliseconds(5) {
                result = functions.GetFenceStatus(handle, fence)
            }
        }
        if result == VK_NOT_READY {
            result = functions.WaitForFences(handle, 1, &fence, VkBool32(VK_TRUE), seconds * 1_000_000_000)
        }
        if result != VK_SUCCESS { isLost.withLock { $0 = true } }
        guard result != VK_TIMEOUT else {
            throw .deviceLost(device: physical.facts.name, reason: "a step did not end within \(seconds) seconds")
        }
        try check(result, "vkWaitForFences")
        try check(functions.ResetFences(handle, 1, &fence), "vkResetFences")
    }

    /// Throws `deviceLost` or `driver` unless `result` is a success.
    func check(_ result: VkResult, _ call: String) throws(BackendError) {
        guard result != VK_ERROR_DEVICE_LOST else {
            throw .deviceLost(device: physical.facts.name, reason: "\(call) returned \(result.name)")
        }
        try result.check(call)
    }
}
