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

private enum QwenLayers {
    static func encode(
        _ model: ModelSource, change: (inout DecoderAttention) -> Void
    ) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        var decoder = try DecoderBuilder(model, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary())
        change(&attention)
        let activation = try metadata.activation()
        let windows = try windows(decoder)
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = windows[layer]
            stream = try decoder.preNormLayer(stream, attention, activation, layer: layer)
        }
        return try decoder.finish(stream)
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
