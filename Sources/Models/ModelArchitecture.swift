public import Backends
public import Tensors
public import Weights

/// Encodes models of one family as plans. One of the four plugin seams.
///
/// A model that only multiplies the embedding of each token by its output matrix:
///
/// ```swift
/// struct BigramArchitecture: ModelArchitecture {
///     let family = ModelFamily(classes: ["BigramForCausalLM"])
///
///     func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
///         let (width, vocabulary) = (try model.metadata.size("hidden_size"), model.shape.vocabularySize)
///         var plan = ForwardPlan()
///         let table = plan.addMatrix("embed", try model.linear("embed.weight", inputSize: width, outputSize: vocabulary))
///         let output = plan.addMatrix("head", try model.linear("head.weight", inputSize: width, outputSize: vocabulary))
///         let stream = plan.addValue(rows: .tokens, width: width)
///         plan.append(.embed(table: table, scale: 1, output: stream))
///         // Only the rows to sample need logits.
///         let sampled = plan.addValue(rows: .samples, width: width)
///         plan.append(.gather(input: stream, output: sampled))
///         let logits = plan.addValue(rows: .samples, width: vocabulary)
///         plan.append(.linear(input: sampled, weights: output, bias: nil, output: logits))
///         plan.setLogits(logits)
///         return plan
///     }
/// }
/// ```
///
/// Transformers are shorter: `DecoderBuilder` has the parts that they are made of. `PluginCatalog.builtin()` registers an
/// architecture.
public protocol ModelArchitecture: Sendable {
    /// The family's names in checkpoints, and the defaults of its class.
    var family: ModelFamily { get }

    /// Encodes the model once, with its weights.
    /// Throws what the loader throws, and `unsupported` for what the encoder cannot express.
    func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan
}

/// What an architecture encodes: the facts of a model, and its tensors with their loader.
public struct ModelSource: Sendable {
    public let metadata: ModelMetadata
    public let shape: ModelShape
    public let tensors: any TensorSource
    public let loader: any WeightLoader
    /// The longest sequence that will be served. Some rotary scalings depend on it.
    public let contextLength: Int

    public init(
        metadata: ModelMetadata, shape: ModelShape, tensors: any TensorSource, loader: any WeightLoader,
        contextLength: Int? = nil
    ) {
        self.metadata = metadata
        self.shape = shape
        self.tensors = tensors
        self.loader = loader
        self.contextLength = contextLength ?? shape.maxPositionCount
    }

    /// The matrix `name`, `[outputSize, inputSize]`. Throws what the loader throws.
    public func linear(
        _ name: String, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> LinearWeights {
        try loader.linear(name, inputSize: inputSize, outputSize: outputSize, from: tensors)
    }

    /// The vector `name`, `[count]`, in 32-bit floats. Throws what the loader throws.
    public func vector(_ name: String, count: Int) throws(WeightLoadingError) -> [Float] {
        try loader.vector(name, count: count, from: tensors)
    }

    /// Whether the checkpoint has the matrix or vector `name`.
    public func has(_ name: String) -> Bool { loader.has(name, in: tensors) }
}
