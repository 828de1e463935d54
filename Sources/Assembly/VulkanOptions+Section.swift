import BackendVulkan
import Backends
import EngineConfig

extension VulkanOptions {
    /// What a configuration's section says, and what the process adds.
    init(_ section: BackendSection, kernelCache: String?, report: @escaping @Sendable (String) -> Void) {
        self.init()
        device = section.device
        isBatchInvariant = section.batchInvariant
        activations = ActivationType(section.activations)
        disabledKernels = Set(section.disabledKernels)
        limits.without = Set(section.without.compactMap { CapabilityLimits.Feature(rawValue: $0) })
        limits.maxRangeByteCount = section.maxRange
        limits.maxAllocationByteCount = section.maxAllocation
        limits.sharedMemoryByteCount = section.sharedMemory
        cacheDirectory = kernelCache
        onFallback = report
    }
}
