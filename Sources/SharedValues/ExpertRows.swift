/// Pairs of a row and an expert that it chose, by the memory that holds the expert's weights.
public struct ExpertRows: Sendable, Hashable {
    /// Pairs whose expert is in the device's memory.
    public var deviceCount: Int
    /// Pairs whose expert the device reads from the host's memory.
    public var hostCount: Int

    public init(deviceCount: Int = 0, hostCount: Int = 0) {
        self.deviceCount = deviceCount
        self.hostCount = hostCount
    }
}
