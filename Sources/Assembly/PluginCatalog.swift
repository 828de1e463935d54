import BackendCPU
import BackendReference
import BackendVulkan
public import Backends
public import EngineConfig
public import Models
public import Plugins
public import Scheduling
public import Weights

/// Every plugin by name. The only place that knows concrete ones.
public struct PluginCatalog: Sendable {
    /// Makes a backend as the configuration's section asks.
    public typealias BackendFactory = @Sendable (BackendSection) throws -> any Backend
    /// Makes a weight loader for a checkpoint; throws where it is of another format.
    public typealias WeightLoaderFactory = @Sendable (WeightLoading) throws -> any WeightLoader
    /// Makes a policy as the configuration asks.
    public typealias PolicyFactory = @Sendable (EngineConfiguration) throws -> any SchedulerPolicy

    /// `backend.name`.
    public var backends = Registry<BackendFactory>(kind: "backend")
    /// `model.loader`.
    public var weightLoaders = Registry<WeightLoaderFactory>(kind: "weight loader")
    /// `scheduler.policy`.
    public var policies = Registry<PolicyFactory>(kind: "scheduling policy")
    /// The checkpoint's architecture.
    public var models = Registry<any ModelArchitecture>(kind: "model architecture")

    /// An empty catalog.
    public init() {}

    /// What comes with Quire: one line a plugin. Compiled kernels are kept in `kernelCache`, nil keeps none; `report`
    /// hears of what a device cannot do as it should, one sentence each.
    public static func builtin(
        kernelCache: String? = nil, report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(RegistryError) -> PluginCatalog {
        var catalog = PluginCatalog()
        try catalog.backends.register("reference") { _ in ReferenceBackend() }
        try catalog.backends.register("cpu") { section in
            try CPUBackend(
                threadCount: section.threads == 0 ? HostMachine.processorCount() : section.threads,
                instructionSet: InstructionSet(section.isa), activations: ActivationType(section.activations))
        }
        try catalog.backends.register("vulkan") { section in
            try VulkanBackend(VulkanOptions(section, kernelCache: kernelCache, report: report))
        }
        try catalog.weightLoaders.register("dense") { $0.denseLoader() }
        for name in ["gguf", "awq", "gptq", "compressed-tensors"] {
            try catalog.weightLoaders.register(name) { try $0.quantizedLoader(named: name) }
        }
        try catalog.policies.register("fcfs") { _ in FirstComeFirstServed() }
        try catalog.policies.register("priority") { PriorityFirst(ageingSeconds: $0.policyOptions.ageingSeconds) }
        try catalog.policies.register("sjf") { ShortestJobFirst(ageingSeconds: $0.policyOptions.ageingSeconds) }
        try catalog.policies.register("mlfq") { MultiLevelFeedback($0.policyOptions) }
        try catalog.policies.register("fair") { FairShare($0.policyOptions) }
        try catalog.policies.register("deadline") { EarliestDeadlineFirst($0.policyOptions) }
        try catalog.policies.register("prefix") { LongestPrefixFirst(window: $0.policyOptions.window) }
        for architecture in [LlamaArchitecture()] {
            for name in architecture.names { try catalog.models.register(name, architecture) }
        }
        return catalog
    }

    /// Checks the names that only the catalog can judge, where they stand in the file.
    public func check(_ configuration: EngineConfiguration) throws(ConfigurationError) {
        let loaders = ["auto"] + weightLoaders.names
        let named = [
            ("backend.name", "a backend", configuration.backend.name, backends.names),
            ("model.loader", "a weight loader", configuration.model.loader, loaders),
            ("scheduler.policy", "a scheduling policy", configuration.scheduler.policy, policies.names),
        ]
        for (key, kind, name, known) in named where !known.contains(name) {
            throw configuration.error(
                at: key, expected: "\(kind) (\(known.joined(separator: ", ")))", found: name, candidates: known)
        }
    }
}

extension InstructionSet {
    /// The configured instruction set; nil takes the best.
    init?(_ isa: BackendSection.ISA) {
        switch isa {
        case .auto: return nil
        case .avx512bf16: self = .avx512bf16
        case .avx512vnni: self = .avx512vnni
        case .avx512: self = .avx512
        case .avx2: self = .avx2
        case .portable: self = .portable
        }
    }
}

extension ActivationType {
    /// The configured ones.
    init(_ activations: BackendSection.Activations) {
        switch activations {
        case .f32: self = .f32
        case .int24: self = .int24
        case .int16: self = .int16
        case .int8: self = .int8
        }
    }
}
