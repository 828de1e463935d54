public import Backends
public import Weights

/// OLMoE: experts, and norms of all queries and all keys of a row (Muennighoff et al., arXiv 2409.02060).
public struct OlmoeArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "OLMoE", modelTypes: ["olmoe"], classes: ["OlmoeForCausalLM"], gguf: ["olmoe"],
        defaults: [
            "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "num_experts": 64, "num_experts_per_tok": 8,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        if let bound = try metadata.positive("clip_qkv", gguf: "attention.clamp_kqv") {
            throw metadata.unsupported(
                "clip_qkv", gguf: "attention.clamp_kqv", found: "\(bound)", supported: "none")
        }
        var decoder = try DecoderBuilder(
            model, naming: TensorNaming(TensorNaming.expertModules), norm: .rms(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary())
        attention.headNorm = .wholeRow
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let activation = try metadata.activation()
        let experts = DecoderExperts(
            routing: try metadata.routing(
                ["num_experts", "num_local_experts"], isNormalized: try metadata.bool("norm_topk_prob") ?? false),
            intermediateSize: decoder.sizes.intermediateSize, activation: activation)
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            stream = try decoder.preNormLayer(stream, attention, activation, experts: experts, layer: layer)
        }
        return try decoder.finish(stream)
    }
}
