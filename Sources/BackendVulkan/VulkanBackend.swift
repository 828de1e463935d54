public import Backends
import Lowering

/// A Vulkan device: kernels compiled for exactly this device and model, a plan's step in one submission.
///
/// A row's result depends, bit for bit, only on that row's own sequence and on the device: never on the rest of the
/// batch, nor on how a prompt is chunked or where its blocks lie.
public final class VulkanBackend: Backend {
    /// The device, its free memory and its limits.
    public let device: DeviceInfo
    /// The device's name, driver and memory.
    public let facts: VulkanDeviceFacts
    /// What it can do, with the configuration's limits.
    public let capabilities: DeviceCapabilities
    let library: KernelLibrary
    private let instance: VulkanInstance
    let vulkan: VulkanDevice
    private let activations: ActivationType
    private let transfers: Transfers?

    /// Opens the device that `options` names. Throws `unavailable` where there is none.
    public convenience init(_ options: VulkanOptions) throws(BackendError) {
        try self.init(options, faults: FaultInjector())
    }

    init(_ options: VulkanOptions, faults: FaultInjector) throws(BackendError) {
        var disabled = options.disabledKernels
        for (former, name) in KernelCatalog.formerNames where disabled.remove(former) != nil {
            options.onFallback("kernel \(former) is called \(name) now, which is switched off")
            disabled.insert(name)
        }
        let variants = KernelCatalog.operations.flatMap { $0.variants.map(\.name) }
        if let unknown = disabled.sorted().first(where: { !variants.contains($0) }) {
            throw .kernel(name: unknown, reason: "there is none of this name to switch off")
        }
        let instance = try VulkanInstance(try VulkanLoader(), isValidating: options.isValidating)
        let devices = try instance.devices()
        let chosen = try DeviceChoice(text: options.device).device(among: devices.map(\.facts))
        let physical = devices[chosen.index]
        let counters = SharedCounters()
        var capabilities = options.limits.applied(to: physical.capabilities)
        capabilities.isBatchInvariant = options.isBatchInvariant
        let vulkan = try VulkanDevice(
            physical, capabilities: capabilities, instance: instance, counters: counters, faults: faults)
        let directory = options.cacheDirectory.map { CacheDirectory(path: $0, onFailure: options.onFallback) }
        library = KernelLibrary(
            vulkan, compiler: ShaderCompiler(cache: directory, counters: counters, faults: faults),
            cache: PipelineCache(vulkan, directory: directory), disabled: disabled,
            onFallback: options.onFallback)
        transfers = capabilities.isUnifiedMemory ? nil : try Transfers(vulkan)
        facts = physical.facts
        self.capabilities = capabilities
        self.instance = instance
        activations = options.activations
        self.vulkan = vulkan
        device = DeviceInfo(
            name: physical.facts.name,
            detail: "\(physical.facts.driver), Vulkan \(physical.facts.apiVersionText)",
            freeByteCount: Self.freeByteCount(physical),
            maxAllocationByteCount: capabilities.maxAllocationByteCount,
            maxRangeByteCount: capabilities.maxRangeByteCount, isHostMemory: capabilities.isUnifiedMemory)
    }

    /// Devices that live in the host's memory have no more of it than the host has free.
    private static func freeByteCount(_ device: PhysicalDevice) -> Int {
        switch device.facts.kind {
        case .discrete, .virtual: device.freeByteCount
        case .integrated, .processor, .other: min(device.freeByteCount, HostMachine.freeByteCount())
        }
    }

    /// Counts of allocations, compilations and submissions so far.
    public var counters: VulkanCounters { vulkan.counters.value }

    /// Messages of the validation layer; nil where it is not enabled.
    public var validationMessages: [String]? { instance.validation?.messages }

    /// Allocates device memory.
    public func makeBuffer(byteCount: Int, usage: BufferUsage) throws(BackendError) -> any DeviceBuffer {
        try VulkanBuffer(
            byteCount: byteCount, use: "\(usage)",
            location: usage == .swap || usage == .hostWeights
                ? .host : .device(isUnified: capabilities.isUnifiedMemory),
            device: vulkan, transfers: transfers)
    }

    /// Fuses operations, uploads weights and allocates scratch memory. Kernels are compiled when the cache is attached.
    public func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool
    ) throws(BackendError) -> sending any PreparedPlan {
        try prepare(plan, limits: limits, pool: pool, experts: nil)
    }

    /// The same, with some experts in the host's memory where the device has memory of its own.
    public func prepare(
        _ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool, experts: ExpertMemory?
    ) throws(BackendError) -> sending any PreparedPlan {
        let maximumRows = max(limits.maxTokenCount, limits.maxSampleCount, 1)
        guard maximumRows <= capabilities.maxGroupCount else {
            throw .unsupported(
                operation: "a step of \(maximumRows) rows",
                reason: "the device takes \(capabilities.maxGroupCount) at once; lower scheduler.max_num_batched_tokens"
            )
        }
        let shapes = KernelShapes(capabilities)
        var target = VulkanLowering(
            maxJoinedWidth: capabilities.longestRangeByteCount / 4 / maximumRows,
            maxArenaByteCount: capabilities.longestRangeByteCount)
        // Whether the device has the kernels for quantized activations depends on the matrices, joined as they will be.
        target.limbCount = try LinearKernels(library: library, shapes: shapes)
            .limbCount(activations.byteCount, for: plan, OperationFusion(plan, for: target).operations(), limits)
        let memory = try PlanMemory(
            LoweredPlan(plan, for: target, limits: limits), limits: limits, limbCount: target.limbCount, pool: pool,
            experts: capabilities.isUnifiedMemory ? nil : experts, shapes: shapes, capabilities: capabilities)
        return try VulkanPlan(memory: memory, device: vulkan, library: library, shapes: shapes)
    }
}
