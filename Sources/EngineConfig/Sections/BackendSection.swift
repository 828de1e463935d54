public import BackendCPU
public import BackendVulkan
public import Backends

/// What computes.
public struct BackendSection: Sendable, Equatable {
    /// The name of the backend in the registry, or `auto`: the best device of the machine.
    public var name = "auto"
    /// Threads of the CPU backend; 0 for all processors that the process may use.
    public var threads = 0
    /// The instruction set of the CPU backend; nil: the best that this CPU has.
    public var isa: InstructionSet?
    /// Which Vulkan device: an index, a UUID, a part of a name, or `auto`.
    public var device = "auto"
    /// Whether only kernels may be used whose results do not depend on the rest of the batch.
    public var batchInvariant = true
    /// What quantized weights are multiplied with.
    public var activations = ActivationType.f32
    /// Kernel variants that the Vulkan backend does not use.
    public var disabledKernels: [String] = []
    /// Features that the Vulkan backend does not use.
    public var disabledFeatures: [CapabilityLimits.Feature] = []
    /// The largest range of a buffer that a kernel may address, in bytes; nil: the device's limit.
    public var maxRange: Int?
    /// The largest single allocation, in bytes; nil: the device's limit.
    public var maxAllocation: Int?
    /// Shared memory of a workgroup, in bytes; nil: the device's limit.
    public var sharedMemory: Int?

    init() {}
}

extension BackendSection: ConfigurationSection {
    static let name = "backend"
    static let summary = "what computes"
    static let keys: [ConfigurationKey<BackendSection>] = [
        ConfigurationKey(
            "name", \.name, .name(of: "a backend"),
            "vulkan: a GPU; cpu; reference: slow and exact, for tests; auto: a discrete GPU, else an integrated or virtual "
                + "one, else the CPU"),
        ConfigurationKey(
            "activations", \.activations, .choice,
            "Precision of activations in quantized matrix products: f32, int24 (same accuracy), int16 (better than bf16), "
                + "int8 (fastest, some quality lost). The integers need AVX2 or VNNI, or a GPU with integer dot products"
        ).only(for: "cpu", "vulkan"),
        ConfigurationKey(
            "threads", \.threads, .integer(in: 0...1024),
            "Threads to compute with; 0: one for each processor that the process may use"
        ).only(for: "cpu"),
        ConfigurationKey(
            "isa", \.isa, .automatic(), "The instruction set; auto: the best that this CPU has"
        ).only(for: "cpu"),
        ConfigurationKey(
            "device", \.device, .text("a device's index, UUID or a part of its name, or auto"),
            "The device, as quire devices lists them; auto: the one with the most memory, discrete before integrated"
        ).only(for: "vulkan"),
        ConfigurationKey(
            "batch_invariant", \.batchInvariant, .boolean,
            "Whether results never depend on who shares a batch; false allows fp16 arithmetic for prompts on 16-bit weights"
        ).only(for: "vulkan"),
        ConfigurationKey(
            "disabled_kernels", \.disabledKernels, .names("names of kernel variants, such as [norm_subgroup]"),
            "Kernel variants not to use, by the names that quire devices prints"
        ).only(for: "vulkan").formerly("kernels"),
        ConfigurationKey(
            "disabled_features", \.disabledFeatures,
            .choices(
                "features, such as [fp16, subgroup_arithmetic]",
                formerly: [
                    "integer_products": "integer_dot_product", "processor_lanes": "cpu_kernels", "storage_16bit": "",
                ]), "Features of the device not to use"
        ).only(for: "vulkan").formerly("without"),
        ConfigurationKey(
            "max_range", optional: \.maxRange, .byteCount(in: 1 << 20...1 << 50), unset: "the device's limit",
            example: "64MiB", "The largest range of a buffer that a kernel may address"
        ).only(for: "vulkan"),
        ConfigurationKey(
            "max_allocation", optional: \.maxAllocation, .byteCount(in: 1 << 20...1 << 50),
            unset: "the device's limit", example: "256MiB", "The largest single allocation"
        ).only(for: "vulkan"),
        ConfigurationKey(
            "shared_memory", optional: \.sharedMemory, .byteCount(in: 16 << 10...1 << 30),
            unset: "the device's limit", example: "16KiB", "Shared memory of a workgroup"
        ).only(for: "vulkan"),
    ]
}
