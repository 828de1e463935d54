public import Backends
public import Weights

/// Qwen2 and 2.5, and models that were distilled into them: Llama with biases on queries, keys and values (arXiv 2407.10671).
public struct Qwen2Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Qwen2, Qwen2.5", modelTypes: ["qwen2"], classes: ["Qwen2ForCausalLM"], gguf: ["qwen2"],
        defaults: ["max_position_embeddings": 32_768, "num_key_value_heads": 32, "max_window_layers": 28])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        try QwenLayers.encode(model) { attention in attention.biases = .queryKeyValue }
    }
}

/// Qwen3: a norm of each head of queries and keys instead of biases (arXiv 2505.09388).
public struct Qwen3Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Qwen3", modelTypes: ["qwen3"], classes: ["Qwen3ForCausalLM"], gguf: ["qwen3"],
        defaults: [
            "max_position_embeddings": 32_768, "num_key_value_heads": 32, "head_dim": 128, "max_window_layers": 28,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let isBiased = try model.metadata.bool("attention_bias") ?? false
        return try QwenLayers.encode(model) { attention in
            attention.headNorm = .perHead
            if isBiased { attention.biases = .all }
        }
    }
}

/// Qwen2-MoE: Qwen2 with experts in some or all layers, and one that all tokens share behind a gate (arXiv 2407.10671).
public struct Qwen2MoEArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Qwen2-MoE", modelTypes: ["qwen2_moe"], classes: ["Qwen2MoeForCausalLM"], gguf: ["qwen2moe"],
        defaults: [
            "max_position_embeddings": 32_768, "num_key_value_heads": 16, "max_window_layers": 28, "num_experts": 60,
            "num_experts_per_tok": 4, "moe_intermediate_size": 1408, "shared_expert_intermediate_size": 5632,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let isBiased = try metadata.bool("qkv_bias") ?? true
        let shared = DecoderExperts.Shared(
            intermediateSize: try metadata.size(
                "shared_expert_intermediate_size", gguf: "expert_shared_feed_forward_length"),
            isGated: true)
        let routing = try metadata.routing(
            ["num_experts", "num_local_experts"], isNormalized: try metadata.bool("norm_topk_prob") ?? false)
        return try QwenLayers.encode(model, routing, shared) { attention in
            if isBiased { attention.biases = .queryKeyValue }
        }
    }
}

/// Qwen3-MoE: Qwen3 with experts in some or all layers (arXiv 2505.09388).
public struct Qwen3MoEArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Qwen3-MoE", modelTypes: ["qwen3_moe"], classes: ["Qwen3MoeForCausalLM"], gguf: ["qwen3moe"],
        defaults: [
            "max_position_embeddings": 32_768, "num_key_value_heads": 4, "max_window_layers": 28, "num_experts": 128,
            "num_experts_per_tok": 8, "moe_intermediate_size": 768,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let isBiased = try metadata.bool("attention_bias") ?? false
        // GGUF files do not say it; all published models divide the weights by their sum.
        let isNormalized = metadata.format == .gguf ? true : try metadata.bool("norm_topk_prob") ?? false
        let routing = try metadata.routing(["num_experts", "num_local_experts"], isNormalized: isNormalized)
        return try QwenLayers.encode(model, routing, nil) { attention in
            attention.headNorm = .perHead
            if isBiased { attention.biases = .all }
        }
    }
}

private enum QwenLayers {
    /// With a `routing`, layers have experts unless the checkpoint says otherwise.
    static func encode(
        _ model: ModelSource, _ routing: ExpertRouting? = nil, _ shared: DecoderExperts.Shared? = nil,
        change: (inout DecoderAttention) -> Void
    ) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        var decoder = try DecoderBuilder(
            model, naming: TensorNaming(routing == nil ? [:] : TensorNaming.expertModules),
            norm: .rms(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary())
        change(&attention)
        let activation = try metadata.activation()
        let windows = try windows(decoder)
        var experts: DecoderExperts?
        if let routing {
            let size = try metadata.size("moe_intermediate_size", gguf: "expert_feed_forward_length")
            experts = DecoderExperts(
                routing: routing, intermediateSize: size, activation: activation, shared: shared)
        }
        let isDense = try denseLayers(metadata, count: decoder.sizes.layerCount)
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = windows[layer]
            stream = try decoder.preNormLayer(
                stream, attention, activation, experts: isDense[layer] ? nil : experts, layer: layer)
        }
        return try decoder.finish(stream)
    }

    /// The layers of a model with experts that have none: those in `mlp_only_layers`, and all but every
    /// `decoder_sparse_step`th.
    private static func denseLayers(_ metadata: ModelMetadata, count: Int) throws(WeightLoadingError) -> [Bool] {
        let step = try metadata.optionalSize("decoder_sparse_step") ?? 1
        let listed = Set(try metadata.numbers("mlp_only_layers") ?? [])
        return (0..<count).map { ($0 + 1) % step != 0 || listed.contains(Double($0)) }
    }

    /// The window is off unless `use_sliding_window` says otherwise; without `layer_types`, the first
    /// `max_window_layers` layers see all positions.
    private static func windows(_ decoder: DecoderBuilder) throws(WeightLoadingError) -> [Int?] {
        let (metadata, count) = (decoder.metadata, decoder.sizes.layerCount)
        guard try metadata.bool("use_sliding_window") == true else { return Array(repeating: nil, count: count) }
        guard try metadata.strings("layer_types") == nil else { return try decoder.windows() }
        let window = try metadata.optionalSize("sliding_window", limit: 1 << 30)
        let first = try metadata.integer("max_window_layers") ?? 28
        return (0..<count).map { $0 >= first ? window : nil }
    }
}
