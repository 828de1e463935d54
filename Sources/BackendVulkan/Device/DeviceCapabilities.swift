/// What a device can do and how much of it at once, as plain data: kernels are chosen by it alone.
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
    /// Invocations that run in step.
    public var subgroupSize: Int
    /// Whether a subgroup can add and compare across its invocations.
    public var hasSubgroupArithmetic: Bool
    /// Whether an invocation can hand a number to all others of its subgroup.
    public var hasSubgroupBroadcast: Bool
    /// Whether kernels can compute in 16-bit floats.
    public var hasFloat16: Bool
    /// Whether kernels can address 16-bit numbers in storage buffers.
    public var has16BitStorage: Bool
    /// Whether the driver offers products of small matrices in hardware; no kernel uses them yet.
    public var hasCooperativeMatrices: Bool
    /// Whether kernels can add the products of four signed bytes at once: a GPU by an instruction, a processor anyhow.
    public var hasIntegerProducts: Bool
    /// Whether the host can address the device's memory, so that nothing has to be staged.
    public var isUnifiedMemory: Bool
    /// Whether invocations are lanes of a processor's vector unit, for which gathers are dear.
    public var isProcessor: Bool
    /// Whether the driver's unpacking of 16-bit floats may be tried on those below 2^-14, which it may take for zeros.
    public var triesHalfSubnormals = true
    /// Floating-point operations that are submitted at once at most; nil: what steps show to take a tenth of a second.
    public var submissionWork: Int?
    /// Whether a row's result must not depend on how many rows share its batch: the configuration's wish.
    public var isBatchInvariant = true

    /// The longest range that memory can be taken for, in bytes.
    var longestRangeByteCount: Int { min(maxRangeByteCount, maxAllocationByteCount) }

    /// The features, by name, and whether they are there.
    public var features: [(name: String, isPresent: Bool)] {
        [
            ("subgroup arithmetic", hasSubgroupArithmetic), ("subgroup broadcast", hasSubgroupBroadcast),
            ("fp16 arithmetic", hasFloat16), ("16-bit storage", has16BitStorage),
            ("cooperative matrices", hasCooperativeMatrices), ("packed integer products", hasIntegerProducts),
            ("unified memory", isUnifiedMemory),
        ]
    }
}
