public import EngineConfig
public import Execution
public import Logging
import SharedValues
public import Tokenization
import Weights

/// A model that scores texts, without the engine around it.
public struct ScoredModel {
    /// Text to tokens.
    public let tokenizer: any Tokenizer
    /// Logits of a row.
    public let vocabularySize: Int
    /// Runs token sequences of at most `maxTokenCount`.
    public var scorer: SequenceScorer

    /// Loads what `configuration` names, with a cache for one sequence of `contextLength` tokens, or of as many as the
    /// model allows. `progress` hears of the loading, 0 to 1.
    public init(
        _ configuration: EngineConfiguration, contextLength: Int, catalog: PluginCatalog, logger: Logger,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws {
        try catalog.check(configuration)
        let checkpoint = try catalog.checkpoint(of: configuration)
        tokenizer = try ServedModel.tokenizer(checkpoint, configuration)
        let blockSize = configuration.cache.blockSize
        try PreparedModel.checkLength(configuration, checkpoint)
        let longest = configuration.model.maxModelLen ?? checkpoint.configuration.maxPositionCount
        var single = configuration
        single.model.maxModelLen = min(contextLength, longest)
        single.cache.numBlocks = min(contextLength, longest).dividedUp(by: blockSize)
        let model = try PreparedModel(checkpoint, single, catalog: catalog, logger: logger, progress: progress)
        vocabularySize = checkpoint.configuration.vocabularySize
        let scheduler = configuration.scheduler
        scorer = SequenceScorer(
            plan: model.plan, blockCount: model.blockCount, blockSize: blockSize,
            chunkTokenCount: min(scheduler.maxNumBatchedTokens, PreparedModel.maxSampleCount(scheduler)),
            maxTokenCount: min(contextLength, longest))
    }
}
