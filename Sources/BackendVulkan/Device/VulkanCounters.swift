import Synchronization

/// Counts of expensive calls. Tests read them to show that a warm step makes none.
public struct VulkanCounters: Sendable, Hashable {
    /// Allocations of device memory.
    public var allocations = 0
    /// Descriptors written.
    public var descriptorUpdates = 0
    /// Shaders compiled from source.
    public var shaderCompilations = 0
    /// Shaders read from the cache on disk.
    public var shaderCacheHits = 0
    /// Pipelines created.
    public var pipelines = 0
    /// Submissions to the queue.
    public var submissions = 0
    /// Dispatches recorded.
    public var dispatches = 0
    /// Barriers recorded.
    public var barriers = 0

    /// Everything at zero.
    public init() {}
}

/// Counters that several threads may write.
final class SharedCounters: Sendable {
    private let state = Mutex(VulkanCounters())

    var value: VulkanCounters { state.withLock { $0 } }

    func add(_ count: Int = 1, to counter: any WritableKeyPath<VulkanCounters, Int> & Sendable) {
        state.withLock { $0[keyPath: counter] += count }
    }
}
