public import Backends

extension VulkanBackend: TimedBackend {
    /// What copying and multiplying alone reach, the best of five trials each.
    public func measureSpeed() throws(BackendError) -> DeviceSpeed {
        let probe = try SpeedProbe(vulkan, library: library)
        return DeviceSpeed(
            copyBytesPerSecond: try probe.copyBytesPerSecond(), operationsPerSecond: try probe.operationsPerSecond())
    }
}
