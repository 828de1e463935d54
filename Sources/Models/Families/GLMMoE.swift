public import Backends
public import Weights

/// GLM-4.5 and 4.6: experts behind a sigmoid router, whose bias decides which ones are chosen, and some that all tokens share;
/// the first layers have none (arXiv 2508.06471).
public struct GLM4MoEArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "GLM-4.5, GLM-4.6", modelTypes: ["glm4_moe"], classes: ["Glm4MoeForCausalLM"], gguf: ["glm4moe"],
        defaults: [
            "max_position_embeddings": 131_072, "num_key_value_heads": 8, "rms_norm_eps": 1e-5, "n_routed_experts": 128,
            "num_experts_per_tok": 8, "moe_intermediate_size": 1408, "n_shared_experts": 1, "first_k_dense_replace": 1,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming(
            TensorNaming.expertModules.merging([
                .choiceBias: "mlp.gate.e_score_correction_bias", .sharedGate: "mlp.shared_experts.gate_proj",
                .sharedUp: "mlp.shared_experts.up_proj", .sharedDown: "mlp.shared_experts.down_proj",
            ]) { $1 }, gguf: [.feedForwardNorm: "post_attention_norm"])
        var sizes = try DecoderSizes(metadata)
        sizes.layerCount = try metadata.decodingLayerCount()
        var decoder = try DecoderBuilder(
            model, sizes: sizes, naming: naming, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(
            decoder.sizes, rotary: try decoder.rotary(share: .partial(default: 0.5)))
        if try metadata.bool("attention_bias") == true { attention.biases = .queryKeyValue }
        let isNormed =
            decoder.isGGUF
            ? model.has(decoder.naming.weight(.queryNorm)) : try metadata.bool("use_qk_norm") ?? false
        if isNormed { attention.headNorm = .perHead }
        let activation = try metadata.activation()
        let experts = try experts(metadata, activation)
        let first = try metadata.integer("first_k_dense_replace", gguf: "leading_dense_block_count") ?? 1
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            stream = try decoder.preNormLayer(
                stream, attention, activation, experts: layer < first ? nil : experts, layer: layer)
        }
        return try decoder.finish(stream)
    }

    private func experts(
        _ metadata: ModelMetadata, _ activation: Activation
    ) throws(WeightLoadingError) -> DecoderExperts {
        let groupCount = try metadata.optionalSize("n_group", gguf: "expert_group_count") ?? 1
        var groups: ExpertRouting.Groups?
        if groupCount > 1 {
            let chosenCount = try metadata.size("topk_group", gguf: "expert_group_used_count")
            groups = ExpertRouting.Groups(count: groupCount, chosenCount: chosenCount, scoreCount: 2)
        }
        let size = try metadata.size("moe_intermediate_size", gguf: "expert_feed_forward_length")
        let sharedCount = try metadata.sharedExpertCount("n_shared_experts")
        return DecoderExperts(
            routing: try metadata.routing(
                ["n_routed_experts", "num_local_experts"], scoring: .sigmoid, groups: groups,
                isNormalized: try metadata.bool("norm_topk_prob", gguf: "expert_weights_norm") ?? true,
                scale: try metadata.positive("routed_scaling_factor", gguf: "expert_weights_scale") ?? 1),
            intermediateSize: size, activation: activation, hasChoiceBias: true,
            shared: sharedCount > 0 ? DecoderExperts.Shared(intermediateSize: sharedCount * size) : nil)
    }
}
