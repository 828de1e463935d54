public import Backends

extension VulkanBackend: TimedBackend {
    public func measureSpeed() throws(BackendError) -> DeviceSpeed {
        let probe = try SpeedProbe(vulkan, library: library)
        return DeviceSpeed(
            copyBytesPerSecond: try probe.copyBytesPerSecond(), operationsPerSecond: try probe.operationsPerSecond())
    }
}
