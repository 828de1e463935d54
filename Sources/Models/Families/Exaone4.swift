public import Backends
public import Weights

/// EXAONE 4: norms after each block, a norm of each head of queries and keys. The 32B model has a window in three of four
/// layers, and rotation only there (arXiv 2507.11407).
public struct Exaone4Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "EXAONE 4", modelTypes: ["exaone4"], classes: ["Exaone4ForCausalLM"], gguf: ["exaone4"],
        defaults: [
            "max_position_embeddings": 2048, "num_key_value_heads": 32, "rms_norm_eps": 1e-5, "sliding_window": 4096,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming([
            .attentionPostNorm: "post_attention_layernorm", .feedForwardPostNorm: "post_feedforward_layernorm",
        ])
        var decoder = try DecoderBuilder(model, naming: naming, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        let rotary = try decoder.rotary()
        var attention = DecoderAttention(decoder.sizes, rotary: rotary)
        attention.headNorm = .perHead
        let activation = try metadata.activation()
        let windows = try decoder.windows(pattern: 4)
        let isHybrid = try metadata.integer("sliding_window", gguf: "attention.sliding_window") != nil
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = windows[layer]
            attention.rotary = isHybrid && windows[layer] == nil ? nil : rotary
            stream = try decoder.postNormLayer(stream, attention, activation, layer: layer)
        }
        return try decoder.finish(stream)
    }
}
