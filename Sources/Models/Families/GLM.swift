public import Backends
public import Weights

/// GLM-4 (9B, `glm`) and GLM-4-0414 (`glm4`): half of each head rotated in neighbouring pairs, biases on queries, keys and
/// values, gate and up in one matrix; GLM-4-0414 has norms before and after each block.
public struct GLM4Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "GLM-4, GLM-4-0414", modelTypes: ["glm4", "glm"], classes: ["Glm4ForCausalLM", "GlmForCausalLM"],
        gguf: ["glm4", "chatglm"],
        defaults: [
            "max_position_embeddings": 131_072, "num_key_value_heads": 2, "head_dim": 128,
            "rms_norm_eps": 1.5625e-07, "attention_bias": true,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let isSandwich = metadata.architecture == "glm4"
        var names: [TensorPart: String] = [.gateUp: "mlp.gate_up_proj"]
        if isSandwich {
            names[.attentionPostNorm] = "post_self_attn_layernorm"
            names[.feedForwardPostNorm] = "post_mlp_layernorm"
        }
        let naming = TensorNaming(names, gguf: [.gateUp: "ffn_up"])
        var decoder = try DecoderBuilder(model, naming: naming, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        let rotary = try decoder.rotary(share: .partial(default: 0.5), pairing: .interleaved)
        var attention = DecoderAttention(decoder.sizes, rotary: rotary)
        if try metadata.bool("attention_bias") == true { attention.biases = .queryKeyValue }
        let activation = try metadata.activation()
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            stream =
                isSandwich
                ? try decoder.sandwichLayer(stream, attention, activation, layer: layer)
                : try decoder.preNormLayer(stream, attention, activation, layer: layer)
        }
        return try decoder.finish(stream)
    }
}
