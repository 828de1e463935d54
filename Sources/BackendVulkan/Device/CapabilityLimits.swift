/// What a device shall pretend not to have: for tests, and to get around a driver that promises too much.
public struct CapabilityLimits: Sendable, Hashable {
    /// Something that can be switched off.
    public enum Feature: String, Sendable, Hashable, CaseIterable {
        case subgroupArithmetic = "subgroup_arithmetic"
        case subgroupBroadcast = "subgroup_broadcast"
        case float16 = "fp16"
        case halfSubnormals = "fp16_subnormals"
        case storage16Bit = "storage_16bit"
        case integerProducts = "integer_dot_product"
        case unifiedMemory = "unified_memory"
        /// Without it, a processor gets the kernels of a GPU.
        case processorLanes = "cpu_kernels"
    }

    /// Features to do without.
    public var without: Set<Feature> = []
    /// The largest range that a kernel may address, in bytes; nil leaves the device's.
    public var maxRangeByteCount: Int?
    /// The largest single allocation, in bytes; nil leaves the device's.
    public var maxAllocationByteCount: Int?
    /// Memory that a workgroup may share, in bytes; nil leaves the device's.
    public var sharedMemoryByteCount: Int?

    /// Floating-point operations that are submitted at once at most; nil leaves it to what steps show.
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
            case .storage16Bit: result.has16BitStorage = false
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
