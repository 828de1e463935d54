import Adapters
import Backends
public import ChatTemplates
public import CoreMetrics
public import EngineConfig
import Execution
import FoundationEssentials
public import InferenceEngine
import KVCaching
public import Logging
import Models
import Plugins
import Scheduling
public import Tokenization
import Weights

/// A model ready to serve: checkpoint, device, cache and scheduler as a configuration sets them.
public struct ServedModel: Sendable {
    /// The running engine.
    public let engine: AsyncLLMEngine
    /// Text to tokens and back.
    public let tokenizer: any Tokenizer
    /// Messages to text; nil where the checkpoint has no template.
    public let chatTemplates: ChatTemplateSet?
    /// Texts of special tokens by the names that templates use.
    public let specialTokens: [String: String]
    /// Tokens that end a text.
    public let endTokenIDs: [Int32]
    /// The memory that it takes on its device.
    public let memory: DeviceMemory
    /// LoRA adapters; nil where none are configured.
    public let adapters: LoadedAdapters?

    /// Loads everything that `configuration` names and starts the engine. `progress` is called with the fraction that is
    /// loaded, 0 to 1. With `usesAdapter`, requests that name no adapter have that of `lora.use`.
    public init(
        _ configuration: EngineConfiguration, catalog: PluginCatalog, metrics: any MetricsFactory, logger: Logger,
        usesAdapter: Bool = false, progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws {
        try catalog.check(configuration)
        let policy = try catalog.policy(named: configuration.scheduler.policy, configuration)
        let checkpoint = try catalog.checkpoint(of: configuration)
        try LoadedModel.checkLength(configuration, checkpoint)
        let tokenizer = try Self.tokenizer(checkpoint, configuration)
        let specialTokens = try Self.specialTokens(checkpoint, configuration)
        let templates = try Self.templates(checkpoint, configuration)
        let model = try LoadedModel(checkpoint, configuration, catalog: catalog, logger: logger, progress: progress)
        // Reopened after a device loss, the same device must have as many blocks as the scheduler still hands out. The
        // length stays as configured, because rotary scalings may depend on it.
        var same = model.configuration
        same.cache.numBlocks = model.blockCount
        same.cache.numSwapBlocks = model.swapBlockCount
        let store = AdapterStore()
        // The engine takes the model's plan to its own thread.
        let (modules, room) = (model.adapterModules, model.adapterLimits)
        let runner = ModelRunner(plan: model.plan, groups: model.groups, adapters: store) { [same] in
            logger.warning("opening the device again")
            return try LoadedModel(checkpoint, same, catalog: catalog, logger: logger, progress: { _ in }).plan
        }
        let limits = SchedulerLimits(
            maxBatchedTokenCount: configuration.scheduler.maxNumBatchedTokens,
            maxSequenceCount: configuration.scheduler.maxNumSeqs, maxModelLength: model.maxModelLength,
            adapterSlotCount: room?.slotCount ?? 0)
        let scheduler = Scheduler(
            limits: limits,
            cache: KVCacheManager(
                blockCount: model.blockCount, groups: model.groups,
                isPrefixCachingEnabled: configuration.cache.enablePrefixCaching,
                swapBlockCount: model.swapBlockCount),
            policy: policy)
        self.tokenizer = tokenizer
        chatTemplates = templates
        memory = model.memory
        self.specialTokens = specialTokens
        endTokenIDs = Self.endTokenIDs(checkpoint, tokenizer, specialTokens)
        engine = AsyncLLMEngine(
            LLMEngine(
                scheduler: scheduler, executor: runner, tokenizer: tokenizer,
                metrics: EngineMetrics(
                    factory: metrics, modelName: configuration.model.name,
                    policyName: configuration.scheduler.policy, maxLoras: limits.adapterSlotCount)
            ) { logger.warning("\($0)") },
            limits: AsyncLLMEngine.Limits(
                maxModelLength: model.maxModelLength, vocabularySize: checkpoint.shape.vocabularySize,
                maxWaitingCount: configuration.scheduler.maxWaiting))
        adapters = room.map { [engine] in
            LoadedAdapters(
                modelName: configuration.model.name, modules: modules, limits: $0, store: store,
                engine: engine)
        }
        for (name, path) in configuration.lora.adapters.sorted(by: { $0.key < $1.key }) {
            do {
                try adapters?.load(name, path: path)
                logger.info("adapter ready", metadata: ["name": "\(name)"])
            } catch {
                engine.stop()
                throw AssemblyError.configuration(
                    configuration.error(at: "lora.adapters", message: "\(name): \(error)"))
            }
        }
        if usesAdapter, let name = configuration.lora.use, let adapter = adapters?[name] {
            engine.setDefaultAdapter(adapter)
        }
    }

    static func tokenizer(
        _ checkpoint: Checkpoint, _ configuration: EngineConfiguration
    ) throws(AssemblyError) -> any Tokenizer {
        let file = configuration.model.tokenizer
        return try AssemblyError.blaming("model.tokenizer", file, of: configuration) {
            try TokenizerPipeline(file.map { try TokenizerOrigin(path: $0) } ?? checkpoint.tokenizer)
        }
    }

    /// The checkpoint's special tokens, or those of the tokenizer that the configuration names.
    private static func specialTokens(
        _ checkpoint: Checkpoint, _ configuration: EngineConfiguration
    ) throws(AssemblyError) -> [String: String] {
        guard let file = configuration.model.tokenizer else { return checkpoint.specialTokens }
        return try AssemblyError.blaming("model.tokenizer", file, of: configuration) {
            let own =
                if case .gguf(let metadata) = try TokenizerOrigin(path: file) {
                    metadata.specialTokens
                } else {
                    try TokenizerConfiguration(directory: file).specialTokens
                }
            return own.isEmpty ? checkpoint.specialTokens : own
        }
    }

    /// The end tokens of the model's configuration, and the tokenizer's own, which is often missing there.
    static func endTokenIDs(
        _ checkpoint: Checkpoint, _ tokenizer: any Tokenizer, _ specialTokens: [String: String]
    ) -> [Int32] {
        var ids = checkpoint.shape.eosTokenIDs.map { Int32(truncatingIfNeeded: $0) }
        if let text = specialTokens["eos_token"], let id = tokenizer.specialTokens[text], !ids.contains(id) {
            ids.append(id)
        }
        return ids
    }

    private static func templates(
        _ checkpoint: Checkpoint, _ configuration: EngineConfiguration
    ) throws(AssemblyError) -> ChatTemplateSet? {
        let file = configuration.model.chatTemplate
        return try AssemblyError.blaming("model.chat_template", file, of: configuration) {
            guard let file else { return try ChatTemplateSet(sources: checkpoint.chatTemplates) }
            guard let text = try? String(contentsOf: URL(filePath: file), encoding: .utf8) else {
                throw AssemblyError.checkpoint(path: file, reason: "cannot be read as UTF-8 text")
            }
            return ChatTemplateSet(try ChatTemplate(text))
        }
    }
}
