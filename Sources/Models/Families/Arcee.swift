public import Backends
public import Weights

/// Arcee Foundation Models (AFM-4.5B): Llama with an MLP without a gate, of squared ReLUs.
public struct ArceeArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Arcee AFM", modelTypes: ["arcee"], classes: ["ArceeForCausalLM"], gguf: ["arcee"],
        defaults: ["max_position_embeddings": 4096, "rms_norm_eps": 1e-5])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        var decoder = try DecoderBuilder(model, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(
            decoder.sizes, rotary: try decoder.rotary(pairing: .halves, ggufPairing: .interleaved))
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let mlpHasBias = try metadata.bool("mlp_bias") ?? false
        let activation = try metadata.pointwiseActivation(default: "relu2")
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            let attended = try decoder.attention(
                try decoder.norm(stream, .attentionNorm, layer: layer), attention, layer: layer)
            stream = decoder.add(stream, attended)
            let fed = try decoder.plainMLP(
                try decoder.norm(stream, .feedForwardNorm, layer: layer), activation, layer: layer, hasBias: mlpHasBias)
            stream = decoder.add(stream, fed)
        }
        return try decoder.finish(stream)
    }
}
