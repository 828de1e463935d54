public import Backends
public import Weights

/// Encodes models of one family as plans. One of the four plugin seams.
///
/// A model that only multiplies the embedding of each token by its output matrix:
///
/// ```swift
/// struct BigramArchitecture: ModelArchitecture {
///     var names: [String] { ["BigramForCausalLM"] }
///
///     func encode(
///         _ configuration: ModelConfiguration, from source: any TensorSource, loader: any WeightLoader
///     ) throws(WeightLoadingError) -> ForwardPlan {
///         let (width, vocabulary) = (configuration.hiddenSize, configuration.vocabularySize)
///         var plan = ForwardPlan()
///         let table = plan.addMatrix(
///             "embed", try loader.linear("embed.weight", inputSize: width, outputSize: vocabulary, from: source))
///         let output = plan.addMatrix(
///             "head", try loader.linear("head.weight", inputSize: width, outputSize: vocabulary, from: source))
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
/// `PluginCatalog.builtin()` registers it under its names.
public protocol ModelArchitecture: Sendable {
    /// The family's names in checkpoints: Hugging Face's `architectures` and GGUF's `general.architecture`.
    var names: [String] { get }

    /// Encodes the model once, with its weights from `source` as `loader` reads them.
    /// Throws what the loader throws, and `unsupported` for what the encoder cannot express.
    func encode(
        _ configuration: ModelConfiguration, from source: any TensorSource, loader: any WeightLoader
    ) throws(WeightLoadingError) -> ForwardPlan
}
