public import Backends
public import Weights

/// Phi-3.5-MoE: two of sixteen experts by a sparse mixer, layer norms, biases everywhere but in the experts, and LongRoPE
/// (arXiv 2404.14219).
///
/// Where llama.cpp weighs the two best experts by the softmax of their logits, this weighs them as transformers does, also
/// in GGUF files.
public struct PhiMoEArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Phi-3.5-MoE", modelTypes: ["phimoe"], classes: ["PhimoeForCausalLM", "PhiMoEForCausalLM"], gguf: ["phimoe"],
        defaults: [
            "max_position_embeddings": 131_072, "num_key_value_heads": 8, "rms_norm_eps": 1e-5, "num_local_experts": 16,
            "num_experts_per_tok": 2, "router_jitter_noise": 0.01,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming([
            .router: "block_sparse_moe.gate", .expertGate: "block_sparse_moe.experts.*.w1",
            .expertDown: "block_sparse_moe.experts.*.w2", .expertUp: "block_sparse_moe.experts.*.w3",
        ])
        // GGUF's converter writes the epsilon under the key of RMS norms.
        var decoder = try DecoderBuilder(model, naming: naming, norm: .layer(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try rotary(&decoder))
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let activation = try metadata.activation()
        let routing = try metadata.routing(
            ["num_local_experts"],
            scoring: .sparseMixer(jitter: Float(try metadata.positive("router_jitter_noise") ?? 0.01)),
            isNormalized: false)
        guard routing.choiceCount == 2 else {
            throw metadata.unsupported(
                "num_experts_per_tok", gguf: "expert_used_count", found: "\(routing.choiceCount)", supported: "2")
        }
        let experts = DecoderExperts(
            routing: routing, intermediateSize: decoder.sizes.intermediateSize, activation: activation)
        let windows = try decoder.windows()
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            // GGUF's converter states a window that llama.cpp ignores too.
            attention.slidingWindow = decoder.isGGUF ? nil : windows[layer]
            stream = try decoder.preNormLayer(stream, attention, activation, experts: experts, layer: layer)
        }
        return try decoder.finish(stream, hasBias: try metadata.bool("lm_head_bias") ?? false)
    }

    /// The class takes the magnitude from keys of its own, one for short and one for long sequences.
    private func rotary(_ decoder: inout DecoderBuilder) throws(WeightLoadingError) -> RotaryEmbedding {
        let metadata = decoder.metadata
        let rotary = try decoder.rotary(theta: 1_000_000)
        let (new, old) = (try metadata.object("rope_parameters"), try metadata.object("rope_scaling"))
        guard let parameters = old ?? new, parameters.has("long_mscale") else { return rotary }
        let (outer, inner) = (
            try metadata.optionalSize("original_max_position_embeddings", limit: 1 << 30),
            try parameters.optionalSize("original_max_position_embeddings", limit: 1 << 30)
        )
        let isLong = decoder.model.contextLength > outer ?? inner ?? .max
        return RotaryEmbedding(
            frequencies: rotary.frequencies, pairing: rotary.pairing,
            magnitude: Float(try parameters.requiredPositive(isLong ? "long_mscale" : "short_mscale")))
    }
}
