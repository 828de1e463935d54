import Adapters
public import Backends
public import EngineConfig
public import Execution
public import Logging
import Plugins
public import SharedValues
import Tensors
public import Tokenization
import Weights

/// A model on its device, without the engine around it: weights, scratch memory and cache are allocated, and the plan is
/// ready to run. `ServedModel` puts an engine over it; benchmarks ask it for a runner, a scorer or the times of kernels.
public struct LoadedModel {
    /// The plan, with a cache.
    public let plan: any PreparedPlan
    /// Blocks of the cache, and of the swap space.
    public let blockCount, swapBlockCount: Int
    /// The cache groups.
    public let groups: [CacheGroup]
    /// Maximum length of a sequence, in tokens.
    public let maxModelLength: Int
    /// Logits in a row; tokens are below this.
    public let vocabularySize: Int
    /// The memory that the model takes on its device.
    public let memory: DeviceMemory
    /// The modules that adapters may change, and the room for them; empty and nil where adapters are not configured.
    let adapterModules: [AdapterModule]
    let adapterLimits: AdapterLimits?
    let backend: any Backend
    /// What was loaded; `auto` is replaced by what was chosen.
    let configuration: EngineConfiguration
    private let checkpoint: Checkpoint

    /// Loads what `configuration` names. `progress` is called with the fraction that is done, 0 to 1.
    ///
    /// - Parameter sequenceLength: where it is given, the cache holds one sequence of so many tokens, or of as many as the
    ///   model allows.
    /// - Parameter blockCount: where it is given, the blocks of the cache, by its groups.
    public init(
        _ configuration: EngineConfiguration, sequenceLength: Int? = nil, blockCount: (([CacheGroup]) -> Int)? = nil,
        catalog: PluginCatalog, logger: Logger, progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws {
        try catalog.check(configuration)
        let checkpoint = try catalog.checkpoint(of: configuration)
        if sequenceLength != nil { try Self.checkLength(configuration, checkpoint) }
        try self.init(
            checkpoint, configuration, sequenceLength: sequenceLength, blockCount: blockCount, catalog: catalog,
            logger: logger, progress: progress)
    }

    /// Allocates the device's memory in this order: weights, scratch memory, then the cache from what is left.
    init(
        _ checkpoint: Checkpoint, _ given: EngineConfiguration, sequenceLength: Int? = nil,
        blockCount givenBlockCount: (([CacheGroup]) -> Int)? = nil,
        catalog: PluginCatalog, logger: Logger, progress: @escaping @Sendable (Double) -> Void
    ) throws {
        let progress = StartupProgress(progress)
        defer { progress.finish() }
        var configuration = given
        configuration.backend = catalog.choosingBackend(given.backend) { logger.info("\($0)") }
        let backend = try AssemblyError.onDevice {
            try catalog.backends.factory(named: configuration.backend.name)(configuration.backend)
        }
        for warning in checkpoint.warnings { logger.warning("\(warning)") }
        var forward = try catalog.plan(of: checkpoint, configuration) {
            progress.read($0)
        } warn: {
            logger.warning("\($0)")
        }
        adapterLimits = Self.adapterLimits(configuration.lora, forward)
        if let adapterLimits { forward = forward.withAdapters(adapterLimits) }
        adapterModules = AdapterModule.list(of: forward, format: checkpoint.metadata.format)
        // After the plan: short sequences are scored with positions scaled as for the long ones that are served.
        var fixedBlockCount = givenBlockCount
        if let sequenceLength {
            let longest = configuration.model.maxModelLen ?? checkpoint.shape.maxPositionCount
            let (length, chunk) = (min(sequenceLength, longest), configuration.scheduler.maxNumBatchedTokens)
            configuration.model.maxModelLen = length
            fixedBlockCount = { $0.maximumBlockCount(forTokens: length, chunkTokenCount: chunk) }
        }
        let limits = Self.batchLimits(configuration, checkpoint)
        let layout = Self.layout(forward, configuration.cache)
        let size =
            fixedBlockCount.map { CacheSize.blocks($0(layout.groups)) }
            ?? CacheSize(configuration.cache, isHostMemory: backend.device.isHostMemory)
        let pool = Self.pool(of: backend, fraction: size.fraction, weights: forward, progress)
        let experts = try Self.expertMemory(configuration, forward, backend, pool, progress) { logger.warning("\($0)") }
        let plan = try AssemblyError.onDevice {
            try backend.prepare(forward, limits: limits, pool: pool, experts: experts)
        }
        let blockCount = try Self.blockCount(size, layout, configuration, limits, backend.device, pool)
        maxModelLength = layout.groups.maximumTokenCount(
            inBlocks: blockCount, chunkTokenCount: limits.maxTokenCount, limit: limits.maxContextLength)
        try Self.checkCapacity(maxModelLength, configuration, layout, blockCount, device: backend.device.name)
        let swap = try SwapBlocks(
            configuration, layout,
            promisedByteCount: backend.device.isHostMemory ? blockCount * layout.blockByteCount : 0, device: backend)
        try AssemblyError.onDevice {
            try plan.attach(
                KVCacheMemory(
                    layout, blockCount: blockCount, pool: pool, swapBlockCount: swap.count, swapPool: swap.pool))
        }
        pool.seal()
        self.plan = plan
        self.backend = backend
        self.blockCount = blockCount
        self.checkpoint = checkpoint
        self.configuration = configuration
        groups = layout.groups
        swapBlockCount = swap.count
        vocabularySize = checkpoint.shape.vocabularySize
        memory = DeviceMemory(backend.device, pool, layout, blockCount: blockCount, experts: experts)
        log(to: logger, size, layout.type)
    }
}

extension LoadedModel {
    /// The device and what it computes with.
    public var deviceName: String { "\(backend.device.name), \(backend.device.detail)" }

    /// Runs steps of the plan.
    public func runner() -> ModelRunner { ModelRunner(plan: plan, groups: groups) }

    /// Tokens in a block; of groups the most.
    public var blockSize: Int { groups.map(\.blockSize).max() ?? 1 }

    /// Runs the plan over single sequences, of at most `maxModelLength` tokens, and gives the logits of every position. With
    /// `lora.use`, they are those of that adapter. Throws where it cannot be loaded.
    public func scorer() throws -> SequenceScorer {
        let scheduler = configuration.scheduler
        var adapterSlot: Int?
        if let name = configuration.lora.use, let path = configuration.lora.adapters[name], let adapterLimits {
            do {
                let weights = try AdapterWeights(
                    try AdapterFile(path: path), for: adapterModules, limits: adapterLimits)
                try plan.setAdapter(weights.matrices, slot: 0)
            } catch let error as AdapterError {
                throw AssemblyError.configuration(
                    configuration.error(at: "lora.adapters", message: "\(name): \(error)"))
            }
            adapterSlot = 0
        }
        return SequenceScorer(
            plan: plan, blockCount: blockCount, groups: groups,
            chunkTokenCount: min(scheduler.maxNumBatchedTokens, Self.maxSampleCount(scheduler)),
            maxTokenCount: maxModelLength, adapterSlot: adapterSlot)
    }

    /// The checkpoint's tokenizer, or the one that the configuration names. Throws `AssemblyError`.
    public func tokenizer() throws -> any Tokenizer { try ServedModel.tokenizer(checkpoint, configuration) }

    /// What the device reaches when it does nothing else. Throws where the backend cannot time its kernels.
    public func measureSpeed() throws -> DeviceSpeed {
        do throws(BackendError) { return try backend.measureSpeed() } catch {
            guard case .unsupported = error, configuration.backend.name != "vulkan" else {
                throw AssemblyError.device("\(error)")
            }
            throw AssemblyError.configuration(
                configuration.error(
                    at: "backend.name", expected: "a backend that times its kernels (vulkan)",
                    found: configuration.backend.name))
        }
    }
}

extension LoadedModel {
    /// Throws where `model.max_model_len` is more than the model was trained for, or than its scaled rotary
    /// embedding allows.
    static func checkLength(_ configuration: EngineConfiguration, _ checkpoint: Checkpoint) throws(AssemblyError) {
        let limit = checkpoint.shape.extendedPositionCount
        guard let requested = configuration.model.maxModelLen, requested > limit else { return }
        throw .configuration(
            configuration.error(
                at: "model.max_model_len", expected: "at most the \(limit) tokens of the model", found: "\(requested)"))
    }

    /// Throws where `model.max_model_len` is more than the cache holds, or the cache holds no sequence at all.
    private static func checkCapacity(
        _ maxModelLength: Int, _ configuration: EngineConfiguration, _ layout: CacheLayout, _ blockCount: Int,
        device: String
    ) throws(AssemblyError) {
        guard maxModelLength > 0 else {
            throw .device(
                "the cache needs \(layout.groups.count) blocks, one for each of its groups, and has \(blockCount) on "
                    + device)
        }
        guard let requested = configuration.model.maxModelLen, maxModelLength < requested else { return }
        throw .configuration(
            configuration.error(
                at: "model.max_model_len",
                expected: "at most the \(maxModelLength) tokens that the cache holds (cache.memory makes it larger)",
                found: "\(requested)"))
    }

    /// Room for the adapters of `section`, in the type of the model's matrices; nil: none are served.
    private static func adapterLimits(_ section: LoRASection, _ plan: ForwardPlan) -> AdapterLimits? {
        guard section.isEnabled else { return nil }
        return AdapterLimits(
            slotCount: section.maxLoras, rank: section.maxLoraRank,
            elementType: plan.matrices.first?.weights.elementType ?? .f32)
    }

    /// One row for each sequence's next token, and some for prompts that are scored.
    private static func maxSampleCount(_ scheduler: SchedulerSection) -> Int { scheduler.maxNumSeqs + 64 }

    private static func batchLimits(_ configuration: EngineConfiguration, _ checkpoint: Checkpoint) -> BatchLimits {
        let scheduler = configuration.scheduler
        return BatchLimits(
            maxTokenCount: scheduler.maxNumBatchedTokens, maxSequenceCount: scheduler.maxNumSeqs,
            maxSampleCount: maxSampleCount(scheduler),
            maxContextLength: configuration.model.maxModelLen ?? checkpoint.shape.maxPositionCount)
    }

    /// A pool of a fraction of the backend's free memory, which counts the bytes of `plan`'s weights as they are placed.
    private static func pool(
        of backend: any Backend, fraction: Double, weights plan: ForwardPlan, _ progress: StartupProgress
    ) -> MemoryPool {
        let weightByteCount = 1 + plan.matrixByteCount
        let budget = Int(Double(backend.device.freeByteCount) * fraction)
        return MemoryPool(device: backend, budgetByteCount: budget) { use, byteCount in
            if use == .weights { progress.placed(Double(byteCount) / Double(weightByteCount)) }
        }
    }

    /// What `model.expert_memory` says; nil where it says nothing, or has no effect on the device, of which `warn` is told.
    /// Throws where the model has no experts.
    private static func expertMemory(
        _ configuration: EngineConfiguration, _ plan: ForwardPlan, _ backend: any Backend, _ pool: MemoryPool,
        _ progress: StartupProgress, warn: (String) -> Void
    ) throws(AssemblyError) -> ExpertMemory? {
        guard let byteCount = configuration.model.expertMemory else { return nil }
        guard plan.expertByteCount > 0 else {
            throw .configuration(
                configuration.error(
                    at: "model.expert_memory", expected: "a model with experts",
                    found: "\(byteCount) bytes for \(configuration.model.name), which has none"))
        }
        guard !backend.device.isHostMemory else {
            warn("model.expert_memory has no effect: the memory of \(backend.device.name) is the host's")
            return nil
        }
        let weightByteCount = 1 + plan.matrixByteCount
        let host = MemoryPool(device: backend, budgetByteCount: HostMachine.freeByteCount()) { _, byteCount in
            let placed = pool.usedByteCount(for: .weights) + byteCount
            progress.placed(Double(placed) / Double(weightByteCount))
        }
        return ExpertMemory(byteCount: byteCount, hostPool: host)
    }

    /// Blocks of the cache. By default no more than the running sequences need at full length: more would only hold
    /// cached prefixes, and the memory has other uses.
    private static func blockCount(
        _ size: CacheSize, _ layout: CacheLayout, _ configuration: EngineConfiguration, _ limits: BatchLimits,
        _ device: DeviceInfo, _ pool: MemoryPool
    ) throws(AssemblyError) -> Int {
        func perSequence(chunk: Int) -> Int {
            layout.groups.maximumBlockCount(forTokens: limits.maxContextLength, chunkTokenCount: chunk)
        }
        // While one sequence computes a chunk of its prompt, the others compute a token each.
        let prompt = perSequence(chunk: limits.maxTokenCount)
        return try size.blockCount(
            available: pool.availableByteCount,
            useful: (limits.maxSequenceCount - 1) * perSequence(chunk: 1) + prompt,
            needed: configuration.model.maxModelLen == nil ? 0 : prompt, device: device.name
        ) { layout.blockCount(fitting: $0, on: device) }
    }

    /// Without a type in the section, keys and values have that of the first matrix: for quantized weights, the type they
    /// are computed in.
    private static func layout(_ plan: ForwardPlan, _ section: CacheSection) -> CacheLayout {
        CacheLayout(
            plan, blockSize: section.blockSize,
            type: section.dtype ?? CacheType(plan.matrices.first?.weights.elementType ?? .f32))
    }

    private func log(to logger: Logger, _ size: CacheSize, _ cacheType: CacheType) {
        logger.info(
            "model ready",
            metadata: [
                "model": "\(configuration.model.name)", "device": "\(backend.device.name)",
                "kernels": "\(backend.device.detail)", "weights_bytes": "\(memory.weightsByteCount)",
                "host_weights_bytes": "\(memory.hostWeightsByteCount)",
                "scratch_bytes": "\(memory.scratchByteCount)", "cache_bytes": "\(memory.cacheByteCount)",
                "cache_dtype": "\(cacheType.rawValue)", "blocks": "\(blockCount)",
                "cache_groups": "\(groups.count)", "swap_blocks": "\(swapBlockCount)",
                "max_model_len": "\(maxModelLength)",
            ])
        logger.info("\(size.explanation(memory))")
        if maxModelLength < checkpoint.shape.maxPositionCount, configuration.model.maxModelLen == nil {
            logger.notice("the cache holds fewer tokens than the model allows; max_model_len is \(maxModelLength)")
        }
    }
}
