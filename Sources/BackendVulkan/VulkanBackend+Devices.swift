public import Backends

extension VulkanBackend {
    /// Every Vulkan device of this machine and what it can do. Throws `unavailable` where there is no loader.
    public static func devices() throws(BackendError) -> [(facts: VulkanDeviceFacts, capabilities: DeviceCapabilities)]
    {
        let instance = try VulkanInstance(try VulkanLoader(), isValidating: false)
        return try instance.devices().map { ($0.facts, $0.capabilities) }
    }
}
