import Backends
import EngineConfig
import Logging
import Plugins
import SharedValues
import Tensors
import Weights

/// The device's part of a served model: weights, scratch and cache in memory, and the plan over them.
struct PreparedModel {
    let backend: any Backend
    let plan: any PreparedPlan
    let blockCount: Int
    let swapBlockCount: Int
    let maxModelLength: Int
    /// Positions that a token sees where every layer is limited to so many.
    let slidingWindow: Int?
    let memory: DeviceMemory

    /// Takes the device's memory in order: weights, scratch, then what is left for blocks.
    init(
        _ checkpoint: Checkpoint, _ configuration: EngineConfiguration, catalog: PluginCatalog, logger: Logger,
        progress: @escaping @Sendable (Double) -> Void
    ) throws {
        let facts = checkpoint.configuration
        let cache = configuration.cache
        let wanted = configuration.model.maxModelLen ?? facts.maxPositionCount
        let backend = try AssemblyError.onDevice {
            try catalog.backends.factory(named: configuration.backend.name)(configuration.backend)
        }
        let progress = StartupProgress(progress)
        defer { progress.finish() }
        for warning in checkpoint.warnings { logger.warning("\(warning)") }
        let plan = try catalog.plan(of: checkpoint, configuration) {
            progress.read($0)
        } warn: {
            logger.warning("\($0)")
        }
        let elementType = Self.cacheType(cache.dtype, plan)
        let size = CacheSize(cache, isHostMemory: backend.device.isHostMemory)
        let budget = Int(Double(backend.device.freeByteCount) * size.share)
        let weightByteCount = plan.matrices.reduce(1) { $0 + $1.weights.byteCount }
        let pool = MemoryPool(device: backend, budgetByteCount: budget) { use, byteCount in
            if use == .weights { progress.placed(Double(byteCount) / Double(weightByteCount)) }
        }
        let scheduler = configuration.scheduler
        let batchLimits = BatchLimits(
            maxTokenCount: scheduler.maxNumBatchedTokens, maxSequenceCount: scheduler.maxNumSeqs,
            maxSampleCount: Self.maxSampleCount(scheduler), maxContextLength: wanted)
        let prepared = try AssemblyError.onDevice { try backend.prepare(plan, limits: batchLimits, pool: pool) }
        // Nobody has asked for more than every sequence at full length needs, though cached prefixes would fill it.
        let sequence = wanted.dividedUp(by: cache.blockSize)
        let blockCount = try size.blockCount(
            available: pool.availableByteCount, useful: scheduler.maxNumSeqs * sequence,
            needed: configuration.model.maxModelLen == nil ? 0 : sequence, device: backend.device.name
        ) { byteCount in
            KVCacheMemory.blockCount(
                fitting: byteCount, layers: plan.cacheLayers, blockSize: cache.blockSize, type: elementType,
                device: backend.device)
        }
        self.blockCount = blockCount
        maxModelLength = min(wanted, blockCount * cache.blockSize)
        if let asked = configuration.model.maxModelLen, maxModelLength < asked {
            throw AssemblyError.configuration(
                configuration.error(
                    at: "model.max_model_len",
                    expected:
                        "at most the \(maxModelLength) tokens that the cache holds (cache.memory makes it larger)",
                    found: "\(asked)"))
        }
        let blockByteCount = KVCacheMemory.byteCountPerBlock(
            layers: plan.cacheLayers, blockSize: cache.blockSize, type: elementType)
        let swap = try SwapBlocks(
            configuration, blockByteCount: blockByteCount, layerCount: plan.cacheLayers.count,
            promisedByteCount: backend.device.isHostMemory ? blockCount * blockByteCount : 0, device: backend)
        swapBlockCount = swap.count
        slidingWindow = plan.slidingWindow
        let memory = try AssemblyError.onDevice {
            try KVCacheMemory(
                layers: plan.cacheLayers, blockCount: blockCount, blockSize: cache.blockSize,
                type: elementType, pool: pool, swapBlockCount: swap.count, swapPool: swap.pool)
        }
        try AssemblyError.onDevice { try prepared.attach(memory) }
        pool.seal()
        self.backend = backend
        self.plan = prepared
        let taken = DeviceMemory(
            backend.device, pool, layers: plan.cacheLayers, blockCount: blockCount, blockSize: cache.blockSize,
            type: elementType)
        self.memory = taken
        logger.info(
            "model ready",
            metadata: [
                "model": "\(configuration.model.name)", "device": "\(backend.device.name)",
                "kernels": "\(backend.device.detail)",
                "weights_bytes": "\(pool.usedByteCount(for: .weights))",
                "scratch_bytes": "\(pool.usedByteCount(for: .scratch))",
                "cache_bytes": "\(pool.usedByteCount(for: .cache))", "cache_dtype": "\(elementType.rawValue)",
                "blocks": "\(blockCount)", "swap_blocks": "\(swap.count)", "max_model_len": "\(maxModelLength)",
            ])
        logger.info("\(size.explanation(taken))")
        if maxModelLength < facts.maxPositionCount, configuration.model.maxModelLen == nil {
            logger.notice("the cache holds fewer tokens than the model allows; max_model_len is \(maxModelLength)")
        }
    }

    /// Throws where more tokens are asked for than the model was made for. Where positions are divided by a factor, it was
    /// made for that many times as many as it states.
    static func checkLength(_ configuration: EngineConfiguration, _ checkpoint: Checkpoint) throws(AssemblyError) {
        let facts = checkpoint.configuration
        var limit = facts.maxPositionCount
        if facts.format == .huggingFace, case .linear(let factor) = facts.rotary.scaling, factor > 1 {
            limit = Int(Double(limit) * min(factor, 1024))
        }
        guard let wanted = configuration.model.maxModelLen, wanted > limit else { return }
        throw .configuration(
            configuration.error(
                at: "model.max_model_len", expected: "at most the \(limit) tokens of the model", found: "\(wanted)"))
    }

    /// One row for each sequence's next token, and some for prompts that are scored.
    static func maxSampleCount(_ scheduler: SchedulerSection) -> Int { scheduler.maxNumSeqs + 64 }

    /// `auto` follows the weights: the type of the first matrix, or what it counts as where it is packed.
    private static func cacheType(_ choice: CacheSection.TypeChoice, _ plan: ForwardPlan) -> CacheType {
        CacheType(rawValue: choice.rawValue) ?? CacheType(plan.matrices.first?.weights.elementType ?? .f32)
    }
}
