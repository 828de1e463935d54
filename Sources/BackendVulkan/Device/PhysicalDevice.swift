import Backends
import CVulkan

/// A device as its driver describes it.
struct PhysicalDevice {
    let handle: VkPhysicalDevice
    let facts: VulkanDeviceFacts
    /// Without the limits of the configuration.
    let capabilities: DeviceCapabilities
    let memory: VkPhysicalDeviceMemoryProperties
    /// Bytes of the largest heap that are free; all of them where the driver does not report it.
    let freeByteCount: Int
    /// The first family that computes; nil where none does.
    let queueFamily: UInt32?
    /// The clock of the queue's kernels: how many bits count, and how fast.
    let clock: (bitCount: Int, nanosecondsPerTick: Double)
    let extensions: Set<String>

    /// Dot products of four bytes; part of Vulkan 1.3.
    static let integerProductExtension = "VK_KHR_shader_integer_dot_product"

    init(_ handle: VkPhysicalDevice, index: Int, functions: quire_instance_functions) {
        self.handle = handle
        let properties = DeviceProperties(handle, functions)
        let features = DeviceFeatures(handle, functions)
        extensions = Self.extensions(handle, functions)
        var memory = VkPhysicalDeviceMemoryProperties2()
        memory.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2
        var budget = VkPhysicalDeviceMemoryBudgetPropertiesEXT()
        budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT
        let hasBudget = extensions.contains("VK_EXT_memory_budget")
        withUnsafeMutablePointer(to: &budget) { budget in
            if hasBudget { memory.pNext = UnsafeMutableRawPointer(budget) }
            functions.GetPhysicalDeviceMemoryProperties2(handle, &memory)
        }
        self.memory = memory.memoryProperties

        var count: UInt32 = 0
        functions.GetPhysicalDeviceQueueFamilyProperties(handle, &count, nil)
        var families = [VkQueueFamilyProperties](repeating: VkQueueFamilyProperties(), count: Int(count))
        functions.GetPhysicalDeviceQueueFamilyProperties(handle, &count, &families)
        let family = families.firstIndex { $0.queueFlags & VK_QUEUE_COMPUTE_BIT.rawValue != 0 }
        queueFamily = family.map { UInt32($0) }
        clock = (
            family.map { Int(families[$0].timestampValidBits) } ?? 0, Double(properties.core.limits.timestampPeriod)
        )

        let heap = Self.largestHeap(memory.memoryProperties, hasBudget ? budget : nil)
        freeByteCount = heap.freeByteCount
        let limits = properties.core.limits
        let type = VulkanDeviceFacts.Kind(properties.core.deviceType)
        // Drivers offer dot products also where the GPU has no instruction for them, and emulate one by a dozen. Then
        // kernels for several rows run out of registers, and floats are faster.
        let hasInstruction =
            properties.integerProducts.integerDotProduct4x8BitPackedSignedAccelerated == VK_TRUE
        let operations = properties.subgroup.supportedOperations
        let inCompute = properties.subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT.rawValue != 0
        func has(_ feature: VkSubgroupFeatureFlagBits) -> Bool { inCompute && operations & feature.rawValue != 0 }
        facts = VulkanDeviceFacts(
            index: index, name: CStrings.text(of: properties.core.deviceName), kind: type,
            uuid: withUnsafeBytes(of: properties.identity.deviceUUID) { Array($0) },
            driver: [CStrings.text(of: properties.driver.driverName), CStrings.text(of: properties.driver.driverInfo)]
                .filter { !$0.isEmpty }.joined(separator: " "),
            apiVersion: properties.core.apiVersion, memoryByteCount: heap.byteCount)
        capabilities = DeviceCapabilities(
            maxRangeByteCount: Int(limits.maxStorageBufferRange),
            maxAllocationByteCount: Int(clamping: properties.maintenance.maxMemoryAllocationSize),
            sharedMemoryByteCount: Int(limits.maxComputeSharedMemorySize),
            maxInvocationCount: Int(limits.maxComputeWorkGroupInvocations),
            maxGroupCount: Int(limits.maxComputeWorkGroupCount.1),
            subgroupSize: Int(properties.subgroup.subgroupSize),
            hasSubgroupArithmetic: has(VK_SUBGROUP_FEATURE_ARITHMETIC_BIT),
            hasSubgroupBroadcast: has(VK_SUBGROUP_FEATURE_BALLOT_BIT),
            hasFloat16: features.float16.shaderFloat16 == VK_TRUE,
            hasCooperativeMatrices: extensions.contains("VK_KHR_cooperative_matrix"),
            hasIntegerProducts: extensions.contains(Self.integerProductExtension)
                && features.integerProducts.shaderIntegerDotProduct == VK_TRUE
                && (type == .processor || hasInstruction),
            isUnifiedMemory: type != .discrete, isProcessor: type == .processor)
    }

    private static func extensions(_ handle: VkPhysicalDevice, _ functions: quire_instance_functions) -> Set<String> {
        var count: UInt32 = 0
        guard functions.EnumerateDeviceExtensionProperties(handle, nil, &count, nil) == VK_SUCCESS else { return [] }
        var found = [VkExtensionProperties](repeating: VkExtensionProperties(), count: Int(count))
        guard functions.EnumerateDeviceExtensionProperties(handle, nil, &count, &found) == VK_SUCCESS else { return [] }
        return Set(found.map { CStrings.text(of: $0.extensionName) })
    }

    /// The largest of the device's own heaps, or of all where none is its own; how much it has, and how much of that is
    /// left by this process and others.
    private static func largestHeap(
        _ memory: VkPhysicalDeviceMemoryProperties, _ budget: VkPhysicalDeviceMemoryBudgetPropertiesEXT?
    ) -> (byteCount: Int, freeByteCount: Int) {
        func words<Tuple>(_ tuple: Tuple) -> [UInt64] {
            withUnsafeBytes(of: tuple) { Array($0.bindMemory(to: UInt64.self)) }
        }
        let heaps = withUnsafeBytes(of: memory.memoryHeaps) { bytes in
            Array(bytes.bindMemory(to: VkMemoryHeap.self).prefix(Int(memory.memoryHeapCount)))
        }
        let own = heaps.indices.filter { heaps[$0].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT.rawValue != 0 }
        let candidates = own.isEmpty ? Array(heaps.indices) : own
        guard let index = candidates.max(by: { heaps[$0].size < heaps[$1].size }) else { return (0, 0) }
        let size = heaps[index].size
        guard let budget, words(budget.heapBudget)[index] > 0 else { return (Int(clamping: size), Int(clamping: size)) }
        let (allowed, used) = (words(budget.heapBudget)[index], words(budget.heapUsage)[index])
        return (Int(clamping: size), Int(clamping: min(size, allowed > used ? allowed - used : 0)))
    }
}
