public import Backends

extension VulkanBackend {
    /// The highest memory bandwidth and rate of arithmetic, the best of five trials each.
    public func measureSpeed() throws(BackendError) -> DeviceSpeed {
        let probe = try SpeedProbe(vulkan, library: library)
        return DeviceSpeed(
            memoryBytesPerSecond: try probe.memoryBytesPerSecond(), operationsPerSecond: try probe.operationsPerSecond()
        )
    }
}
