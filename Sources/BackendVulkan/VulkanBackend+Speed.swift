public import Backends

extension VulkanBackend {
    /// What copying and multiplying alone reach, the best of five trials each.
    public func measureSpeed() throws(BackendError) -> DeviceSpeed {
        let probe = try SpeedProbe(vulkan, library: library)
        return DeviceSpeed(
            memoryBytesPerSecond: try probe.memoryBytesPerSecond(), operationsPerSecond: try probe.operationsPerSecond()
        )
    }
}
