/// The capabilities and limits of a device, as plain data. Kernels are chosen by these alone.
public struct DeviceCapabilities: Sendable, Hashable {
    /// The largest range that a kernel can address, in bytes.
    public var maxRangeByteCount: Int
    /// The largest single allocation, in bytes.
    public var maxAllocationByteCount: Int
    /// Memory that the invocations of a workgroup can share, in bytes.
    public var sharedMemoryByteCount: Int
    /// Invocations in a workgroup.
    public var maxInvocationCount: Int
    /// Workgroups of a dispatch along its second axis.
    public var maxGroupCount: Int
    /// Invocations of a subgroup.
    public var subgroupSize: Int
    /// Whether a subgroup can add and compare across its invocations.
    public var hasSubgroupArithmetic: Bool
    /// Whether an invocation can broadcast a number to its subgroup.
    public var hasSubgroupBroadcast: Bool
    /// Whether kernels can compute in 16-bit floats.
    public var hasFloat16: Bool
    /// Whether the driver offers products of small matrices in hardware; no kernel uses them yet.
    public var hasCooperativeMatrices: Bool
    /// Whether kernels can compute dot products of four signed bytes: on a GPU only where it has an instruction for them.
    public var hasIntegerProducts: Bool
    /// Whether the host can address the device's memory, so that no copy through a staging buffer is needed.
    public var isUnifiedMemory: Bool
    /// Whether invocations are lanes of a CPU's vector unit, for which gathers are slow.
    public var isProcessor: Bool
    /// Whether to try the driver's unpacking of 16-bit floats on scales below 2^-14, which it may flush to zero.
    public var triesHalfSubnormals = true
    /// The maximum of floating-point operations in a submission; nil: as measured (`SubmissionPace`).
    public var submissionWork: Int?
    /// Whether a row's result must not depend on how many rows share its batch, as the configuration asks.
    public var isBatchInvariant = true

    /// The longest range that memory can be taken for, in bytes.
    var longestRangeByteCount: Int { min(maxRangeByteCount, maxAllocationByteCount) }

    /// The features, by name, and whether they are there.
    public var features: [(name: String, isPresent: Bool)] {
        [
            ("subgroup arithmetic", hasSubgroupArithmetic), ("subgroup broadcast", hasSubgroupBroadcast),
            ("fp16 arithmetic", hasFloat16),
            ("cooperative matrices", hasCooperativeMatrices), ("integer dot products", hasIntegerProducts),
            ("unified memory", isUnifiedMemory),
        ]
    }
}
