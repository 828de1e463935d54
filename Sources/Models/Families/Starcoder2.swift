public import Backends
public import Weights

/// StarCoder2: layer norms, biases everywhere, an MLP without a gate, a sliding window (arXiv 2402.19173).
public struct Starcoder2Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "StarCoder2", modelTypes: ["starcoder2"], classes: ["Starcoder2ForCausalLM"], gguf: ["starcoder2"],
        defaults: ["max_position_embeddings": 4096, "num_key_value_heads": 2, "use_bias": true])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming([.up: "mlp.c_fc", .down: "mlp.c_proj"])
        var decoder = try DecoderBuilder(
            model, naming: naming, norm: .layer(epsilon: try metadata.layerEpsilon("norm_epsilon")))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary())
        let hasBias = try metadata.bool("use_bias") ?? true
        if hasBias { attention.biases = .all }
        let activation = try metadata.pointwiseActivation(default: "gelu_pytorch_tanh")
        let windows = try decoder.windows()
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = windows[layer]
            let attended = try decoder.attention(
                try decoder.norm(stream, .attentionNorm, layer: layer), attention, layer: layer)
            stream = decoder.add(stream, attended)
            let fed = try decoder.plainMLP(
                try decoder.norm(stream, .feedForwardNorm, layer: layer), activation, layer: layer, hasBias: hasBias)
            stream = decoder.add(stream, fed)
        }
        return try decoder.finish(stream)
    }
}
