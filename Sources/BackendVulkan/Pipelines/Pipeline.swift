import Backends
import CVulkan

/// A compiled kernel on its device.
final class Pipeline: @unchecked Sendable {
    // Sendable: everything is set once, and binding a pipeline needs no synchronisation.
    let handle: VkPipeline
    let layout: VkPipelineLayout
    let setLayout: VkDescriptorSetLayout
    /// What it was made from.
    let variant: KernelVariant
    private let device: VulkanDevice

    /// Bytes that can be pushed for a dispatch; every device has as many.
    static let parameterByteCount = 128

    /// A kernel over `bindingCount` storage buffers.
    init(
        _ words: [UInt32], variant: KernelVariant, bindingCount: Int, cache: VkPipelineCache?, device: VulkanDevice
    ) throws(BackendError) {
        self.device = device
        self.variant = variant
        let functions = device.functions
        let setLayout = try Self.setLayout(bindingCount, device)
        var layout: VkPipelineLayout?
        var handle: VkPipeline?
        var module: VkShaderModule?
        var result = words.withUnsafeBufferPointer { words in
            var info = VkShaderModuleCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO
            info.codeSize = words.count * 4
            info.pCode = words.baseAddress
            return functions.CreateShaderModule(device.handle, &info, nil, &module)
        }
        if result == VK_SUCCESS { result = Self.pipelineLayout(setLayout, device, &layout) }
        if result == VK_SUCCESS {
            result = "main".withCString { entry in
                var info = VkComputePipelineCreateInfo()
                info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO
                // A part of a split dispatch does not begin with the first workgroup.
                info.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT.rawValue
                info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO
                info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT
                info.stage.module = module
                info.stage.pName = entry
                info.layout = layout
                return functions.CreateComputePipelines(device.handle, cache, 1, &info, nil, &handle)
            }
        }
        if let module { functions.DestroyShaderModule(device.handle, module, nil) }
        guard result == VK_SUCCESS, let handle, let layout else {
            if let layout { functions.DestroyPipelineLayout(device.handle, layout, nil) }
            functions.DestroyDescriptorSetLayout(device.handle, setLayout, nil)
            throw .kernel(name: variant.name, reason: "the driver refuses it with \(result.name)")
        }
        device.counters.add(to: \.pipelines)
        self.handle = handle
        self.layout = layout
        self.setLayout = setLayout
    }

    deinit {
        device.functions.DestroyPipeline(device.handle, handle, nil)
        device.functions.DestroyPipelineLayout(device.handle, layout, nil)
        device.functions.DestroyDescriptorSetLayout(device.handle, setLayout, nil)
    }

    private static func setLayout(_ bindingCount: Int, _ device: VulkanDevice) throws(BackendError)
        -> VkDescriptorSetLayout
    {
        let bindings = (0..<bindingCount).map { index in
            var binding = VkDescriptorSetLayoutBinding()
            binding.binding = UInt32(index)
            binding.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
            binding.descriptorCount = 1
            binding.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT.rawValue
            return binding
        }
        var layout: VkDescriptorSetLayout?
        let result = bindings.withUnsafeBufferPointer { bindings in
            var info = VkDescriptorSetLayoutCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO
            info.bindingCount = UInt32(bindings.count)
            info.pBindings = bindings.baseAddress
            return device.functions.CreateDescriptorSetLayout(device.handle, &info, nil, &layout)
        }
        try device.check(result, "vkCreateDescriptorSetLayout")
        guard let layout else { throw .driver(call: "vkCreateDescriptorSetLayout", result: "no layout") }
        return layout
    }

    private static func pipelineLayout(
        _ setLayout: VkDescriptorSetLayout, _ device: VulkanDevice, _ layout: inout VkPipelineLayout?
    ) -> VkResult {
        var set: VkDescriptorSetLayout? = setLayout
        var range = VkPushConstantRange()
        range.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT.rawValue
        range.size = UInt32(parameterByteCount)
        return withUnsafePointer(to: &set) { set in
            withUnsafePointer(to: &range) { range in
                var info = VkPipelineLayoutCreateInfo()
                info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO
                info.setLayoutCount = 1
                info.pSetLayouts = set
                info.pushConstantRangeCount = 1
                info.pPushConstantRanges = range
                return device.functions.CreatePipelineLayout(device.handle, &info, nil, &layout)
            }
        }
    }
}
