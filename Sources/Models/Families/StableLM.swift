public import Backends
public import Weights

/// StableLM 2 and StableLM-3B: layer norms, a quarter of each head rotated; the 12B model has attention and MLP side by side,
/// and a norm of each head with weights of its own.
public struct StableLMArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "StableLM 2", modelTypes: ["stablelm"], classes: ["StableLmForCausalLM"], gguf: ["stablelm"],
        defaults: ["max_position_embeddings": 4096, "num_key_value_heads": 32])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming([.queryNorm: "self_attn.q_layernorm", .keyNorm: "self_attn.k_layernorm"])
        var decoder = try DecoderBuilder(model, naming: naming, norm: .layer(epsilon: try metadata.layerEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary(share: .partial(default: 0.25)))
        if try metadata.bool("use_qkv_bias") == true { attention.biases = .queryKeyValue }
        let hasHeadNorms =
            decoder.isGGUF
            ? model.has(decoder.naming.weight(.queryNorm, layer: 0)) : try metadata.bool("qk_layernorm") ?? false
        let isParallel =
            decoder.isGGUF
            ? !model.has(decoder.naming.weight(.feedForwardNorm, layer: 0))
            : try metadata.bool("use_parallel_residual") ?? false
        if hasHeadNorms { attention.headNorm = .perHeadWeights }
        let activation = try metadata.activation()
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            if isParallel {
                stream = try decoder.parallelLayer(
                    stream, attention, layer: layer
                ) { decoder, normed throws(WeightLoadingError) in
                    try decoder.gatedMLP(normed, activation, layer: layer)
                }
            } else {
                stream = try decoder.preNormLayer(stream, attention, activation, layer: layer)
            }
        }
        return try decoder.finish(stream)
    }
}
