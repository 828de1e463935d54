/// What computes.
public struct BackendSection: Sendable, Equatable {
    /// An instruction set of the CPU backend's kernels.
    public enum ISA: String, Sendable, CaseIterable {
        /// The best that this CPU has.
        case auto
        case avx512bf16, avx512vnni, avx512, avx2, portable
    }

    /// Something that a Vulkan device can be told to do without.
    public enum Feature: String, Sendable, CaseIterable {
        case subgroupArithmetic = "subgroup_arithmetic"
        case subgroupBroadcast = "subgroup_broadcast"
        case float16 = "fp16"
        case halfSubnormals = "fp16_subnormals"
        case storage16Bit = "storage_16bit"
        case integerProducts = "integer_products"
        case unifiedMemory = "unified_memory"
        case processorLanes = "processor_lanes"
    }

    /// What the CPU and Vulkan backends multiply packed weights with.
    public enum Activations: String, Sendable, CaseIterable {
        case f32, int24, int16, int8
    }

    /// The name of the backend in the registry.
    public var name = "cpu"
    /// Threads of the CPU backends; 0 for all processors that the process may use.
    public var threads = 0
    /// The instruction set to use.
    public var isa = ISA.auto
    /// Which Vulkan device: an index, a UUID, a part of a name, or `auto`.
    public var device = "auto"
    /// Whether only kernels may be used whose results do not depend on the rest of the batch.
    public var batchInvariant = true
    /// What packed weights are multiplied with.
    public var activations = Activations.f32
    /// Kernel variants of the Vulkan backend that shall not be used.
    public var disabledKernels: [String] = []
    /// Features that the Vulkan device shall do without.
    public var without: [String] = []
    /// The largest range that a kernel may address, in bytes; nil leaves the device's.
    public var maxRange: Int?
    /// The largest single allocation, in bytes; nil leaves the device's.
    public var maxAllocation: Int?
    /// Memory that a workgroup may share, in bytes; nil leaves the device's.
    public var sharedMemory: Int?

    init() {}
}

extension BackendSection: ConfigurationSection {
    static let name = "backend"
    static let summary = "what computes"
    static let keys: [ConfigurationKey<BackendSection>] = [
        ConfigurationKey(
            "name", \.name, .name(of: "a backend"),
            "cpu; vulkan: any GPU; or reference: slow, simple and exact, the oracle of the tests"),
        ConfigurationKey(
            "threads", \.threads, .integer(in: 0...1024),
            "Threads to compute with; 0 takes all processors that the process may use"),
        ConfigurationKey("isa", \.isa, .choice, "The instruction set; auto takes the best that this CPU has"),
        ConfigurationKey(
            "device", \.device, .text("a device's index, UUID or a part of its name, or auto"),
            "vulkan: the device, as quire devices lists them; auto takes a discrete one before an integrated one"),
        ConfigurationKey(
            "batch_invariant", \.batchInvariant, .boolean,
            "vulkan: results never depend on who shares a batch; false allows prompts in fp16 arithmetic (16-bit weights)"
        ),
        ConfigurationKey(
            "activations", \.activations, .choice,
            "What packed weights are multiplied with; f32: as exact as model.dtype; int24 is as exact as f32, int16 more exact "
                + "than bf16, int8 rounds, all three take integer products (cpu: AVX2 or VNNI, "
                + "vulkan: a GPU with an instruction for them)"
        ),
        ConfigurationKey(
            "kernels", \.disabledKernels, .names("names of kernel variants, such as [norm_subgroup]"),
            "vulkan: kernel variants that are switched off, by the names that quire devices prints"),
        ConfigurationKey(
            "without", \.without,
            .names("features, such as [fp16, subgroup_arithmetic]", among: Feature.allCases.map(\.rawValue)),
            "vulkan: features that the device shall pretend not to have"),
        ConfigurationKey(
            "max_range", optional: \.maxRange, .byteCount(in: 1 << 20...1 << 50), unset: "what the device allows",
            example: "64MiB", "vulkan: the largest range that a kernel may address"),
        ConfigurationKey(
            "max_allocation", optional: \.maxAllocation, .byteCount(in: 1 << 20...1 << 50),
            unset: "what the device allows", example: "256MiB", "vulkan: the largest single allocation"),
        ConfigurationKey(
            "shared_memory", optional: \.sharedMemory, .byteCount(in: 16 << 10...1 << 30),
            unset: "what the device has", example: "16KiB", "vulkan: memory that a workgroup may share"),
    ]
}
