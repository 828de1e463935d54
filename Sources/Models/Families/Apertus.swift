public import Backends
import CLibrary
public import Weights

/// Apertus: norms of heads, and an MLP without a gate whose activation, xIELU, has learned parameters (arXiv 2411.13010).
public struct ApertusArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Apertus", modelTypes: ["apertus"], classes: ["ApertusForCausalLM"], gguf: ["apertus"],
        defaults: ["max_position_embeddings": 65_536, "rms_norm_eps": 1e-5, "rope_theta": 12_000_000])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let activation = try metadata.string("hidden_act") ?? "xielu"
        guard activation == "xielu" else {
            throw metadata.unsupported("hidden_act", found: activation, supported: "xielu")
        }
        let naming = TensorNaming([
            .attentionNorm: "attention_layernorm", .feedForwardNorm: "feedforward_layernorm",
            .activation: "mlp.act_fn",
        ])
        var decoder = try DecoderBuilder(model, naming: naming, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary(theta: 12_000_000))
        attention.headNorm = .perHead
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let activations = try activations(decoder)
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            let attended = try decoder.attention(
                try decoder.norm(stream, .attentionNorm, layer: layer), attention, layer: layer)
            stream = decoder.add(stream, attended)
            let fed = try decoder.plainMLP(
                try decoder.norm(stream, .feedForwardNorm, layer: layer), activations[layer], layer: layer)
            stream = decoder.add(stream, fed)
        }
        return try decoder.finish(stream)
    }

    /// The activation of each layer. GGUF files have the parameters in their metadata, others as tensors, which give them by
    /// way of softplus.
    private func activations(_ decoder: DecoderBuilder) throws(WeightLoadingError) -> [PointwiseActivation] {
        let metadata = decoder.metadata
        var result: [PointwiseActivation] = []
        for layer in 0..<decoder.sizes.layerCount {
            func parameter(_ name: String) throws(WeightLoadingError) -> Float {
                if decoder.isGGUF {
                    // `xielu.alpha_p`, without the architecture's name before it.
                    let numbers = try metadata.numbers(global: "xielu.\(name)")
                    guard let numbers, numbers.count > layer else {
                        throw .missingKey(
                            file: metadata.file, key: "xielu.\(name)",
                            expected: "\(decoder.sizes.layerCount) numbers, one a layer")
                    }
                    return Float(numbers[layer])
                }
                return try decoder.flatVector(decoder.naming.module(.activation, layer: layer) + ".\(name)", count: 1)[
                    0]
            }
            let (positive, negative) = (try parameter("alpha_p"), try parameter("alpha_n"))
            let (beta, epsilon) = (try parameter("beta"), try parameter("eps"))
            result.append(
                .xielu(
                    alphaPositive: softplus(positive), alphaNegative: beta + softplus(negative), beta: beta,
                    epsilon: epsilon))
        }
        return result
    }

    private func softplus(_ value: Float) -> Float { Float(log1p(exp(Double(value)))) }
}
