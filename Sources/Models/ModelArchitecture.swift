public import Backends
public import Weights

/// A family of models as a plan encoder. One of the four plugin seams.
public protocol ModelArchitecture: Sendable {
    /// The names that checkpoints call it by: Hugging Face's `architectures` and GGUF's `general.architecture`.
    var names: [String] { get }

    /// Encodes the model once, with its weights from `source` as `loader` reads them.
    /// Throws what the loader throws, and `unsupported` for what the encoder cannot express.
    func encode(
        _ configuration: ModelConfiguration, from source: any TensorSource, loader: any WeightLoader
    ) throws(WeightLoadingError) -> ForwardPlan
}
