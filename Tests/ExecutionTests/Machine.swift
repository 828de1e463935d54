import Adapters
import BackendCPU
import BackendReference
import BackendVulkan
import Backends
import Execution
import KVCaching
import Models
import Requests
import Scheduling
import SharedValues
import Synchronization
import Tensors
import Testing
import Weights

/// A backend by name, opened once for all tests: kernels are compiled once, and tests side by side share a device.
enum Device: Hashable, Sendable, CustomTestStringConvertible {
    case reference
    case cpu(InstructionSet, threads: Int)
    case vulkan(index: Int, name: String)
    /// A Vulkan device that pretends to be a card with memory of its own: it keeps its logits, too.
    case card(index: Int, name: String)
    /// Such a card that multiplies quantized weights with integers of 24 bits.
    case integerCard(index: Int, name: String)

    /// The reference, the CPU with every instruction set that it has, and every Vulkan device.
    static let all =
        [Device.reference] + InstructionSet.allCases.filter(\.isAvailable).map { .cpu($0, threads: 2) } + vulkan
        + cards.suffix(1) + integerCards.suffix(1)

    /// Every Vulkan device; that there is one is for BackendVulkanTests to say.
    static let vulkan: [Device] =
        (try? VulkanBackend.devices().map { .vulkan(index: $0.facts.index, name: $0.facts.name) }) ?? []

    /// Every Vulkan device as a card.
    static let cards = vulkan.compactMap { device -> Device? in
        guard case .vulkan(let index, let name) = device else { return nil }
        return .card(index: index, name: name)
    }

    /// Every Vulkan device as a card with integer dot products.
    static let integerCards = vulkan.compactMap { device -> Device? in
        guard case .vulkan(let index, let name) = device else { return nil }
        return .integerCard(index: index, name: name)
    }

    var testDescription: String {
        switch self {
        case .reference: "reference"
        case .cpu(let set, let threads): "cpu \(set), \(threads) threads"
        case .vulkan(_, let name): "vulkan \(name)"
        case .card(_, let name): "vulkan \(name) as a card"
        case .integerCard(_, let name): "vulkan \(name) as a card with integer dot products"
        }
    }

    private static let opened = Mutex<[Device: any Backend]>([:])

    func backend() throws -> any Backend {
        try Self.opened.withLock { opened in
            let backend = try opened[self] ?? open()
            opened[self] = backend
            return backend
        }
    }

    private func open() throws -> any Backend {
        switch self {
        case .reference: return ReferenceBackend()
        case .cpu(let set, let threads): return try CPUBackend(threadCount: threads, instructionSet: set)
        case .vulkan(let index, _), .card(let index, _), .integerCard(let index, _):
            var options = VulkanOptions()
            options.device = "\(index)"
            if case .integerCard = self { options.activations = .int24 }
            if case .vulkan = self {} else { options.limits.without = [.processorLanes, .unifiedMemory] }
            return try VulkanBackend(options)
        }
    }
}

/// A checkpoint on a device, with everything between tokens and logits.
struct Machine {
    let plan: ForwardPlan
    private let prepared: any PreparedPlan
    private let pool: MemoryPool
    private let swapPool: MemoryPool
    private let limits: BatchLimits
    private let adapterLimits: AdapterLimits
    private let format: ModelMetadata.Format

    /// Quantized weights stay quantized unless `isDense`.
    init(
        path: String, type: WeightType = .f32, isDense: Bool = false, on device: Device, maxTokenCount: Int,
        maxSequenceCount: Int, slidingWindow: Int? = nil, layersWithoutWindow: Set<Int> = [], adapterSlotCount: Int = 0
    ) throws {
        let checkpoint = try Checkpoint(path: path, families: ModelArchitectures.families)
        let loading = WeightLoading(checkpoint, type)
        let loader = isDense ? loading.denseLoader() : loading.quantizedLoader()
        let architecture = try #require(ModelArchitectures.of(checkpoint))
        let encoded = try architecture.encode(
            ModelSource(
                metadata: checkpoint.metadata, shape: checkpoint.shape, tensors: checkpoint.source, loader: loader))
        let windowed = encoded.withWindow(slidingWindow, except: layersWithoutWindow)
        adapterLimits = AdapterLimits(
            slotCount: adapterSlotCount, rank: 8, elementType: type == .bf16 ? .bf16 : .f32)
        format = checkpoint.metadata.format
        plan = adapterSlotCount > 0 ? windowed.withAdapters(adapterLimits) : windowed
        let backend = try device.backend()
        pool = MemoryPool(device: backend, budgetByteCount: 4 << 30, chunkByteCount: 1 << 20)
        swapPool = MemoryPool(device: backend, budgetByteCount: 4 << 30, chunkByteCount: 1 << 20)
        limits = BatchLimits(
            maxTokenCount: maxTokenCount, maxSequenceCount: maxSequenceCount,
            maxSampleCount: maxTokenCount + maxSequenceCount,
            maxContextLength: checkpoint.shape.maxPositionCount
        )
        prepared = try backend.prepare(plan, limits: limits, pool: pool)
    }

    /// Bytes that the backend takes for weights.
    var weightByteCount: Int { pool.usedByteCount(for: .weights) }

    /// Bytes of the plan's matrices as they are stored, of its vectors, and of a table of its rotations.
    var weightArithmetic: Int {
        var rotations: Set<RotaryEmbedding> = []
        for case .rotaryEmbedding(_, _, let rotary, _) in plan.operations { rotations.insert(rotary) }
        return plan.matrixByteCount
            + plan.vectors.reduce(0) { $0 + $1.elements.count * 4 }
            + rotations.reduce(0) { $0 + $1.frequencies.count * limits.maxContextLength * 8 }
    }

    /// The layout of the plan's cache; unless `isGrouped`, all layers are one group that keeps all positions.
    func layout(blockSize: Int, cacheType: CacheType = .f32, isGrouped: Bool = true) -> CacheLayout {
        isGrouped
            ? CacheLayout(plan, blockSize: blockSize, type: cacheType)
            : CacheLayout(layers: plan.cacheLayers, blockSize: blockSize, type: cacheType)
    }

    /// Gives the plan a cache and returns a runner over it.
    func runner(
        _ layout: CacheLayout, blockCount: Int, swapBlockCount: Int = 0, adapters: AdapterStore = AdapterStore()
    ) throws -> ModelRunner {
        ModelRunner(
            plan: try preparedPlan(layout, blockCount: blockCount, swapBlockCount: swapBlockCount),
            groups: layout.groups, adapters: adapters)
    }

    /// The matrices of the adapter at `path`.
    func adapter(_ path: String) throws -> [MatrixSetID: HostTensor] {
        let modules = AdapterModule.list(of: plan, format: format)
        return try AdapterWeights(AdapterFile(path: path), for: modules, limits: adapterLimits).matrices
    }

    /// The plan with a new cache.
    func preparedPlan(
        _ layout: CacheLayout, blockCount: Int, swapBlockCount: Int = 0
    ) throws -> any PreparedPlan {
        try prepared.attach(
            try KVCacheMemory(
                layout, blockCount: blockCount, pool: pool, swapBlockCount: swapBlockCount, swapPool: swapPool))
        return prepared
    }

    /// Logits of every token of one sequence, `[tokens, vocabularySize]`, fed in one step, with `adapter` in the last slot.
    func logits(of tokens: [Int32], adapter: [MatrixSetID: HostTensor]? = nil) throws -> [[Float]] {
        let layout = layout(blockSize: 16)
        let counts = layout.groups.map { $0.blockCount(forTokens: tokens.count) }
        let blockCount = counts.reduce(0, +)
        _ = try preparedPlan(layout, blockCount: blockCount)
        var batch = ForwardBatch(groups: layout.groups)
        var unused = (0..<Int32(blockCount)).map { $0 }
        batch.append(
            tokens: tokens, firstPosition: 0, blocks: counts.map { (0..<$0).map { _ in unused.removeLast() } },
            adapterSlot: adapter.map { _ in adapterLimits.slotCount - 1 })
        if let adapter { try prepared.setAdapter(adapter, slot: adapterLimits.slotCount - 1) }
        batch.sampleRows = tokens.indices.map { Int32($0) }
        try prepared.submit(batch)
        let rows = try prepared.wait()
        return tokens.indices.map { rows.withRow($0) { Array($0) } }
    }

    /// The next `count` most likely tokens after each prompt, all prompts at once, under a scheduler.
    func greedy(_ prompts: [[Int32]], count: Int, tokenBudget: Int = 64) throws -> [[Int32]] {
        try greedyWithMargins(prompts, count: count, tokenBudget: tokenBudget).map { $0.map(\.token) }
    }

    /// The same, each token with how much more likely it was than the next best, as a difference of logits.
    func greedyWithMargins(
        _ prompts: [[Int32]], count: Int, tokenBudget: Int = 64
    ) throws -> [[(token: Int32, margin: Float)]] {
        let lengths = prompts.map { $0.count + count }
        let layout = layout(blockSize: 16)
        let blockCount = lengths.reduce(0) {
            $0 + layout.groups.maximumBlockCount(forTokens: $1, chunkTokenCount: tokenBudget)
        }
        var world = EngineWorld(
            runner: try runner(layout, blockCount: blockCount), blockCount: blockCount, groups: layout.groups,
            limits: SchedulerLimits(
                maxBatchedTokenCount: min(tokenBudget, limits.maxTokenCount),
                maxSequenceCount: min(prompts.count, limits.maxSequenceCount), maxModelLength: lengths.max() ?? 1))
        var sampling = SamplingParameters()
        sampling.temperature = 0
        sampling.maxTokens = count
        sampling.logprobs = 2
        let ids = prompts.map { world.add($0, sampling) }
        while !world.isIdle { try world.step() }
        return ids.map { id in
            (world.logprobs[id] ?? []).map { ($0.chosen.token, $0.top[0].logprob - $0.top[1].logprob) }
        }
    }
}

extension ForwardPlan {
    /// The same plan with a sliding window in every layer but those of `layers`; the same plan where `window` is nil.
    fileprivate func withWindow(_ window: Int?, except layers: Set<Int>) -> ForwardPlan {
        guard let window else { return self }
        var plan = ForwardPlan()
        for value in values { _ = plan.addValue(rows: value.rows, width: value.width) }
        for matrix in matrices { _ = plan.addMatrix(matrix.name, matrix.weights) }
        for vector in vectors { _ = plan.addVector(vector.name, vector.elements) }
        for layer in cacheLayers { _ = plan.addCacheLayer(layer) }
        for operation in operations {
            guard case .pagedAttention(let layer, let query, let shape, let output) = operation,
                !layers.contains(layer)
            else {
                plan.append(operation)
                continue
            }
            plan.append(
                .pagedAttention(
                    layer: layer, query: query,
                    attention: AttentionShape(
                        queryHeadCount: shape.queryHeadCount, scale: shape.scale, slidingWindow: window,
                        softCap: shape.softCap, sinks: shape.sinks), output: output))
        }
        if let logits { plan.setLogits(logits) }
        return plan
    }
}
