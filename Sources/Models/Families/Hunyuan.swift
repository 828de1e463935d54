public import Backends
public import Weights

/// Hunyuan dense models: Llama with a norm of each head of queries and keys after the rotation.
public struct HunyuanArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Hunyuan (dense)", modelTypes: ["hunyuan_v1_dense"], classes: ["HunYuanDenseV1ForCausalLM"],
        gguf: ["hunyuan-dense"],
        defaults: ["max_position_embeddings": 2048, "rms_norm_eps": 1e-5])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming([
            .queryNorm: "self_attn.query_layernorm", .keyNorm: "self_attn.key_layernorm",
        ])
        var decoder = try DecoderBuilder(model, naming: naming, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary())
        attention.headNorm = .perHead
        attention.isNormedAfterRotation = true
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let activation = try metadata.activation()
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            stream = try decoder.preNormLayer(stream, attention, activation, layer: layer)
        }
        return try decoder.finish(stream)
    }
}
