import Backends
public import EngineConfig
public import Execution
public import Logging
import Weights

/// A model that runs steps, without the engine around it.
public struct SteppedModel {
    /// Runs steps.
    public var runner: ModelRunner
    /// Blocks of the cache, tokens in each, and blocks of the swap space.
    public let blockCount, blockSize, swapBlockCount: Int
    /// Tokens of a sequence at most.
    public let maxModelLength: Int
    /// Tokens are below this.
    public let vocabularySize: Int
    /// The device and what it computes with.
    public let deviceName: String

    /// Loads what `configuration` names. `progress` hears of the loading, 0 to 1.
    public init(
        _ configuration: EngineConfiguration, catalog: PluginCatalog, logger: Logger,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws {
        try catalog.check(configuration)
        let checkpoint = try catalog.checkpoint(of: configuration)
        let model = try PreparedModel(checkpoint, configuration, catalog: catalog, logger: logger, progress: progress)
        blockSize = configuration.cache.blockSize
        runner = ModelRunner(plan: model.plan, blockSize: blockSize)
        blockCount = model.blockCount
        swapBlockCount = model.swapBlockCount
        maxModelLength = model.maxModelLength
        vocabularySize = checkpoint.configuration.vocabularySize
        deviceName = "\(model.backend.device.name), \(model.backend.device.detail)"
    }
}
