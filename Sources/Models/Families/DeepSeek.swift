public import Backends
public import Weights

/// DeepSeek-V2, V2-Lite and V2.5: latent attention, and experts of which groups may be chosen (arXiv 2405.04434). GGUF files of
/// all families in this file are read here.
public struct DeepSeekV2Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "DeepSeek-V2, V2-Lite", modelTypes: ["deepseek_v2"], classes: ["DeepseekV2ForCausalLM"], gguf: ["deepseek2"],
        defaults: [
            "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "first_k_dense_replace": 0, "kv_lora_rank": 512,
            "q_lora_rank": 1536, "n_routed_experts": 64, "n_shared_experts": 2, "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64, "v_head_dim": 128, "moe_intermediate_size": 1407,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        guard metadata.format == .huggingFace else { return try DeepSeekLayers.encode(model, Self.ggufRouter(model)) }
        let scoring: ExpertRouting.Scoring
        switch try metadata.string("scoring_func") ?? "softmax" {
        case "softmax": scoring = .softmax
        case "sigmoid": scoring = .sigmoid
        case let other:
            throw metadata.unsupported("scoring_func", found: other, supported: "softmax, sigmoid")
        }
        let router: DeepSeekRouter
        switch try metadata.string("topk_method") ?? "greedy" {
        case "greedy": router = DeepSeekRouter(scoring: scoring, scoresOfGroup: nil, hasChoiceBias: false)
        case "group_limited_greedy": router = DeepSeekRouter(scoring: scoring, scoresOfGroup: 1, hasChoiceBias: false)
        case "noaux_tc": router = DeepSeekRouter(scoring: scoring, scoresOfGroup: 2, hasChoiceBias: true)
        case let other:
            throw metadata.unsupported(
                "topk_method", found: other, supported: "greedy, group_limited_greedy, noaux_tc")
        }
        return try DeepSeekLayers.encode(model, router)
    }

    /// Files from before the key of the scoring have a bias where the router is a sigmoid.
    private static func ggufRouter(_ model: ModelSource) throws(WeightLoadingError) -> DeepSeekRouter {
        let metadata = model.metadata
        let layerCount = try metadata.size("num_hidden_layers", gguf: "block_count", limit: 1 << 14)
        let naming = TensorNaming().resolved(in: model)
        let isBiased = (0..<layerCount).contains { model.has(naming.bias(.choiceBias, layer: $0)) }
        let scoring: ExpertRouting.Scoring
        switch try metadata.integer("", gguf: "expert_gating_func") ?? 0 {
        case 0: scoring = isBiased ? .sigmoid : .softmax
        case 1: scoring = .softmax
        case 2: scoring = .sigmoid
        case let other:
            throw metadata.unsupported(
                "", gguf: "expert_gating_func", found: "\(other)", supported: "1 (softmax), 2 (sigmoid)")
        }
        return DeepSeekRouter(scoring: scoring, scoresOfGroup: isBiased ? 2 : 1, hasChoiceBias: isBiased)
    }
}

/// DeepSeek-V3, R1 and models of their shape: a bias decides which experts a sigmoid router chooses (arXiv 2412.19437).
public struct DeepSeekV3Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "DeepSeek-V3, R1, Kimi K2", modelTypes: ["deepseek_v3", "kimi_k2"],
        classes: ["DeepseekV3ForCausalLM"], sharedGGUF: ["deepseek2"],
        defaults: [
            "max_position_embeddings": 4096, "rms_norm_eps": 1e-6, "first_k_dense_replace": 3, "kv_lora_rank": 512,
            "q_lora_rank": 1536, "n_routed_experts": 256, "n_shared_experts": 1, "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64, "v_head_dim": 128, "moe_intermediate_size": 2048, "n_group": 8, "topk_group": 4,
            "num_experts_per_tok": 8, "norm_topk_prob": true, "routed_scaling_factor": 2.5,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        try DeepSeekLayers.encode(model, DeepSeekRouter(scoring: .sigmoid, scoresOfGroup: 2, hasChoiceBias: true))
    }
}

/// GLM-4.7-Flash: of DeepSeek-V3's shape.
public struct GLM4MoELiteArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "GLM-4.7-Flash", modelTypes: ["glm4_moe_lite"], classes: ["Glm4MoeLiteForCausalLM"],
        sharedGGUF: ["deepseek2"],
        defaults: [
            "max_position_embeddings": 202_752, "rms_norm_eps": 1e-5, "first_k_dense_replace": 1, "kv_lora_rank": 512,
            "q_lora_rank": 768, "n_routed_experts": 64, "n_shared_experts": 1, "qk_nope_head_dim": 192,
            "qk_rope_head_dim": 64, "v_head_dim": 256, "moe_intermediate_size": 1536, "n_group": 1, "topk_group": 1,
            "num_experts_per_tok": 4, "norm_topk_prob": true, "routed_scaling_factor": 1.8,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        try DeepSeekLayers.encode(model, DeepSeekRouter(scoring: .sigmoid, scoresOfGroup: 2, hasChoiceBias: true))
    }
}

/// What differs between the routers of these families.
private struct DeepSeekRouter {
    let scoring: ExpertRouting.Scoring
    /// A group's score is the sum of so many best ones in it; nil: groups are ignored.
    let scoresOfGroup: Int?
    let hasChoiceBias: Bool
}

private enum DeepSeekLayers {
    static func encode(_ model: ModelSource, _ router: DeepSeekRouter) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming(
            TensorNaming.expertModules.merging(TensorNaming.latentModules) { $1 }.merging([
                .choiceBias: "mlp.gate.e_score_correction_bias", .sharedGate: "mlp.shared_experts.gate_proj",
                .sharedUp: "mlp.shared_experts.up_proj", .sharedDown: "mlp.shared_experts.down_proj",
            ]) { $1 })
        let attention = try DecoderLatentAttention(metadata, contextLength: model.contextLength)
        let sizes = DecoderSizes(
            hiddenSize: try metadata.size("hidden_size", gguf: "embedding_length"),
            layerCount: try metadata.decodingLayerCount(), headCount: attention.headCount,
            keyValueHeadCount: attention.headCount, headSize: attention.headSize,
            intermediateSize: try metadata.size("intermediate_size", gguf: "feed_forward_length"))
        var decoder = try DecoderBuilder(
            model, sizes: sizes, naming: naming, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        let activation = try metadata.activation()
        let experts = try experts(metadata, router, activation)
        let hasExperts = try layersWithExperts(metadata, count: sizes.layerCount)
        var stream = try decoder.embedding()
        for layer in 0..<sizes.layerCount {
            let attended = try decoder.latentAttention(
                try decoder.norm(stream, .attentionNorm, layer: layer), attention, layer: layer)
            let middle = decoder.add(stream, attended)
            let normed = try decoder.norm(middle, .feedForwardNorm, layer: layer)
            let fed =
                if let experts, hasExperts[layer] {
                    try decoder.experts(normed, experts, layer: layer)
                } else {
                    try decoder.gatedMLP(normed, activation, layer: layer)
                }
            stream = decoder.add(middle, fed)
        }
        return try decoder.finish(stream)
    }

    /// Nil: a model without experts.
    private static func experts(
        _ metadata: ModelMetadata, _ router: DeepSeekRouter, _ activation: Activation
    ) throws(WeightLoadingError) -> DecoderExperts? {
        guard try metadata.optionalSize("n_routed_experts", gguf: "expert_count") != nil else { return nil }
        var groups: ExpertRouting.Groups?
        if let scoreCount = router.scoresOfGroup,
            let groupCount = try metadata.optionalSize("n_group", gguf: "expert_group_count"), groupCount > 1
        {
            groups = ExpertRouting.Groups(
                count: groupCount, chosenCount: try metadata.size("topk_group", gguf: "expert_group_used_count"),
                scoreCount: scoreCount)
        }
        let size = try metadata.size("moe_intermediate_size", gguf: "expert_feed_forward_length")
        let sharedCount = try metadata.sharedExpertCount("n_shared_experts")
        return DecoderExperts(
            routing: try metadata.routing(
                ["n_routed_experts"], scoring: router.scoring, groups: groups,
                isNormalized: try metadata.bool("norm_topk_prob", gguf: "expert_weights_norm") ?? false,
                scale: try metadata.positive("routed_scaling_factor", gguf: "expert_weights_scale") ?? 1),
            intermediateSize: size, activation: activation, hasChoiceBias: router.hasChoiceBias,
            shared: sharedCount > 0 ? DecoderExperts.Shared(intermediateSize: sharedCount * size) : nil)
    }

    /// All but the first ones, and only every `moe_layer_freq`th; or as `mlp_layer_types` says.
    private static func layersWithExperts(_ metadata: ModelMetadata, count: Int) throws(WeightLoadingError) -> [Bool] {
        let key = "mlp_layer_types"
        if let types = try metadata.strings(key) {
            guard types.count >= count, types.allSatisfy({ ["dense", "sparse"].contains($0) }) else {
                throw metadata.illTyped(key, expected: "\(count) times dense or sparse", found: "\(types.prefix(8))")
            }
            return types.prefix(count).map { $0 == "sparse" }
        }
        let first = try metadata.integer("first_k_dense_replace", gguf: "leading_dense_block_count") ?? 0
        let interval = try metadata.optionalSize("moe_layer_freq") ?? 1
        return (0..<count).map { $0 >= first && $0 % interval == 0 }
    }
}

extension ModelMetadata {
    /// The layers, without those that predict further tokens, which GGUF files count and nothing uses. Throws `missingKey` or
    /// `illTypedKey`.
    func decodingLayerCount() throws(WeightLoadingError) -> Int {
        let count = try size("num_hidden_layers", gguf: "block_count", limit: 1 << 14)
        let unused = try integer("", gguf: "nextn_predict_layers") ?? 0
        guard (0..<count).contains(unused) else {
            throw illTyped(
                "", gguf: "nextn_predict_layers", expected: "fewer than the \(count) layers", found: "\(unused)")
        }
        return count - unused
    }
}
