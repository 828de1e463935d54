import BackendCPU
import BackendReference
import BackendVulkan
public import Backends
public import EngineConfig
public import Models
public import Plugins
public import Scheduling
public import Weights

/// Every plugin by name. No other type names concrete plugins.
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

    public init() {}

    /// What comes with Quire: one line a plugin. Compiled kernels are kept in the folder `kernelCache`, nil keeps none;
    /// `onFallback` is called with a sentence for everything that a device cannot do in the preferred way.
    public static func builtin(
        kernelCache: String? = nil, onFallback: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(RegistryError) -> PluginCatalog {
        var catalog = PluginCatalog()
        try catalog.backends.register("reference") { _ in ReferenceBackend() }
        try catalog.backends.register("cpu") { section in
            try CPUBackend(
                threadCount: section.threads == 0 ? HostMachine.processorCount() : section.threads,
                instructionSet: section.isa, activations: section.activations)
        }
        try catalog.backends.register("vulkan") { section in
            try VulkanBackend(VulkanOptions(section, kernelCache: kernelCache, onFallback: onFallback))
        }
        try catalog.weightLoaders.register("dense") { $0.denseLoader() }
        for name in ["gguf", "awq", "gptq", "compressed-tensors", "fp8", "mxfp4"] {
            try catalog.weightLoaders.register(name) { try $0.quantizedLoader(named: name) }
        }
        try catalog.policies.register("fcfs") { _ in FirstComeFirstServed() }
        try catalog.policies.register("priority") { PriorityFirst(ageingSeconds: $0.policyOptions.ageingSeconds) }
        try catalog.policies.register("sjf") { ShortestJobFirst(ageingSeconds: $0.policyOptions.ageingSeconds) }
        try catalog.policies.register("mlfq") { MultiLevelFeedback($0.policyOptions) }
        try catalog.policies.register("fair") { FairShare($0.policyOptions) }
        try catalog.policies.register("deadline") { EarliestDeadlineFirst($0.policyOptions) }
        try catalog.policies.register("prefix") { LongestPrefixFirst(window: $0.policyOptions.window) }
        for architecture in ModelArchitectures.builtin {
            try catalog.models.register(architecture.family.name, architecture)
        }
        return catalog
    }

    /// Checks the names that only the catalog knows; an error points to the name in the file.
    public func check(_ configuration: EngineConfiguration) throws(ConfigurationError) {
        let loaders = ["auto"] + weightLoaders.names
        let named = [
            ("backend.name", "a backend", configuration.backend.name, ["auto"] + backends.names),
            ("model.loader", "a weight loader", configuration.model.loader, loaders),
            ("scheduler.policy", "a scheduling policy", configuration.scheduler.policy, policies.names),
        ]
        for (key, kind, name, known) in named where !known.contains(name) {
            throw configuration.error(
                at: key, expected: "\(kind) (\(known.joined(separator: ", ")))", found: name, candidates: known)
        }
        let adapters = configuration.lora.adapters
        if let name = configuration.lora.use, adapters[name] == nil {
            throw configuration.error(
                at: "lora.use", expected: "the name of one of lora.adapters", found: name,
                candidates: adapters.keys.sorted())
        }
        if adapters[configuration.model.name] != nil {
            throw configuration.error(
                at: "lora.adapters", message: "\(configuration.model.name) is the name of the model itself")
        }
    }
}

extension VulkanOptions {
    /// What a configuration's section says, with the process's own cache of kernels and receiver of warnings.
    init(_ section: BackendSection, kernelCache: String?, onFallback: @escaping @Sendable (String) -> Void) {
        self.init()
        device = section.device
        isBatchInvariant = section.batchInvariant
        activations = section.activations
        disabledKernels = Set(section.disabledKernels)
        limits.without = Set(section.disabledFeatures)
        limits.maxRangeByteCount = section.maxRange
        limits.maxAllocationByteCount = section.maxAllocation
        limits.sharedMemoryByteCount = section.sharedMemory
        cacheDirectory = kernelCache
        self.onFallback = onFallback
    }
}
