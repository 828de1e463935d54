/// Capabilities to ignore: for tests, and for drivers that report more than works.
public struct CapabilityLimits: Sendable, Hashable {
    /// A capability that can be switched off.
    public enum Feature: String, Sendable, Hashable, CaseIterable {
        case subgroupArithmetic = "subgroup_arithmetic"
        case subgroupBroadcast = "subgroup_broadcast"
        case float16 = "fp16"
        case halfSubnormals = "fp16_subnormals"
        case integerProducts = "integer_dot_product"
        case unifiedMemory = "unified_memory"
        /// Without it, a CPU gets the kernels of a GPU.
        case processorLanes = "cpu_kernels"
    }

    /// Features that are treated as missing.
    public var without: Set<Feature> = []
    /// The largest range that a kernel may address, in bytes; nil leaves the device's.
    public var maxRangeByteCount: Int?
    /// The largest single allocation, in bytes; nil leaves the device's.
    public var maxAllocationByteCount: Int?
    /// Memory that a workgroup may share, in bytes; nil leaves the device's.
    public var sharedMemoryByteCount: Int?

    /// The maximum of floating-point operations in a submission; nil: as measured.
    public var submissionWork: Int?

    /// No limits beside the device's own.
    public init() {}

    /// `capabilities` with these limits; never more than the device has.
    func applied(to capabilities: DeviceCapabilities) -> DeviceCapabilities {
        var result = capabilities
        for feature in without {
            switch feature {
            case .subgroupArithmetic: result.hasSubgroupArithmetic = false
            case .subgroupBroadcast: result.hasSubgroupBroadcast = false
            case .float16: result.hasFloat16 = false
            case .halfSubnormals: result.triesHalfSubnormals = false
            case .integerProducts: result.hasIntegerProducts = false
            case .unifiedMemory: result.isUnifiedMemory = false
            case .processorLanes: result.isProcessor = false
            }
        }
        result.maxRangeByteCount = min(result.maxRangeByteCount, maxRangeByteCount ?? .max)
        result.maxAllocationByteCount = min(result.maxAllocationByteCount, maxAllocationByteCount ?? .max)
        result.sharedMemoryByteCount = min(result.sharedMemoryByteCount, sharedMemoryByteCount ?? .max)
        result.submissionWork = submissionWork ?? result.submissionWork
        return result
    }
}
