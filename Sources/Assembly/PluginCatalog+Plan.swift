public import Backends
public import EngineConfig
import Models
import Plugins
import Weights

extension PluginCatalog {
    /// The plan of the model that `configuration` names, with its weights in memory; `progress` is called with the
    /// fraction that is loaded, 0 to 1. Throws `AssemblyError.checkpoint`.
    public func plan(
        of configuration: EngineConfiguration, progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) throws(AssemblyError) -> ForwardPlan {
        let checkpoint = try checkpoint(of: configuration)
        defer { progress(1) }
        return try plan(of: checkpoint, configuration, progress: progress)
    }

    /// The checkpoint that `configuration` names, of an architecture that is registered.
    func checkpoint(of configuration: EngineConfiguration) throws(AssemblyError) -> Checkpoint {
        let path = configuration.model.path
        try AssemblyError.requireModel(configuration)
        return try AssemblyError.blaming(path) { try Checkpoint(path: path, families: try families()) }
    }

    /// The families of the registered architectures.
    func families() throws(RegistryError) -> ModelFamilies {
        var known: [ModelFamily] = []
        for name in models.names { known.append(try models.factory(named: name).family) }
        return ModelFamilies(known, missing: ModelFamilies.unsupported)
    }

    /// The plan of `checkpoint` as `configuration` asks for it. Quantized weights are read when a backend prepares it.
    /// `warn` is called with a sentence about the tensors that the model does not use.
    func plan(
        of checkpoint: Checkpoint, _ configuration: EngineConfiguration,
        progress: @escaping @Sendable (Double) -> Void, warn: (String) -> Void = { _ in }
    ) throws(AssemblyError) -> ForwardPlan {
        do {
            let architecture = try models.factory(named: checkpoint.family)
            let name = configuration.model.loader == "auto" ? checkpoint.loaderName : configuration.model.loader
            let loading = LoadingProgress(totalByteCount: checkpoint.source.byteCount) { done, total in
                progress(Double(done) / Double(max(total, 1)))
            }
            let loader = try weightLoaders.factory(named: name)(
                WeightLoading(checkpoint, configuration.model.dtype, progress: loading))
            let source = WatchedSource(checkpoint.source)
            let plan = try architecture.encode(
                ModelSource(
                    metadata: checkpoint.metadata, shape: checkpoint.shape, tensors: source, loader: loader,
                    contextLength: configuration.model.maxModelLen))
            for warning in try plan.warnings + source.checkUnread() { warn(warning) }
            return plan
        } catch {
            throw .checkpoint(path: checkpoint.path, reason: "\(error)")
        }
    }
}
