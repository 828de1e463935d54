public import Backends
public import EngineConfig
public import Logging
import Weights

/// A model on a device that can time its kernels, without the engine around it.
public struct TimedModel {
    /// The plan, with a cache.
    public let plan: any TimedPlan
    /// Tokens in a block of the cache.
    public let blockSize: Int
    /// Logits of a row.
    public let vocabularySize: Int
    /// The device's name.
    public let deviceName: String
    /// What the device reaches when it does nothing else.
    public let speed: DeviceSpeed

    /// Loads what `configuration` names. Throws where its backend has no clock for kernels.
    public init(
        _ configuration: EngineConfiguration, catalog: PluginCatalog, logger: Logger,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws {
        try catalog.check(configuration)
        let checkpoint = try catalog.checkpoint(of: configuration)
        let model = try PreparedModel(checkpoint, configuration, catalog: catalog, logger: logger, progress: progress)
        guard let plan = model.plan as? any TimedPlan, let backend = model.backend as? any TimedBackend else {
            throw AssemblyError.configuration(
                configuration.error(
                    at: "backend.name", expected: "a backend that times its kernels (vulkan)",
                    found: configuration.backend.name))
        }
        speed = try AssemblyError.onDevice { try backend.measureSpeed() }
        self.plan = plan
        blockSize = configuration.cache.blockSize
        vocabularySize = checkpoint.configuration.vocabularySize
        deviceName = "\(backend.device.name), \(backend.device.detail)"
    }
}
