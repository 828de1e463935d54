public import Backends
public import Weights

/// Seed-OSS: Llama with biases on queries, keys and values.
public struct SeedOSSArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Seed-OSS", modelTypes: ["seed_oss"], classes: ["SeedOssForCausalLM"], gguf: ["seed_oss"],
        defaults: [
            "max_position_embeddings": 524_288, "num_key_value_heads": 8, "head_dim": 128, "attention_bias": true,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        // GGUF's converter calls the norm before the feed-forward block by its name in transformers.
        let naming = TensorNaming(gguf: [.feedForwardNorm: "post_attention_norm"])
        var decoder = try DecoderBuilder(model, naming: naming, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary())
        if try metadata.bool("attention_bias") == true { attention.biases = .queryKeyValue }
        if try metadata.bool("attention_out_bias") == true { attention.biases.insert(.output) }
        let mlpHasBias = try metadata.bool("mlp_bias") ?? false
        let activation = try metadata.activation()
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            stream = try decoder.preNormLayer(stream, attention, activation, layer: layer, mlpHasBias: mlpHasBias)
        }
        return try decoder.finish(stream)
    }
}
