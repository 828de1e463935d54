public import Backends
public import Weights

/// Mistral and Ministral: Llama with a sliding window in all or some layers (Jiang et al., arXiv 2310.06825).
public struct MistralArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Mistral, Ministral", modelTypes: ["mistral", "ministral"],
        classes: ["MistralForCausalLM", "MinistralForCausalLM"],
        defaults: ["max_position_embeddings": 131_072, "num_key_value_heads": 8, "sliding_window": 4096])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        try MistralLayers.encode(model, temperature: nil)
    }
}

/// Ministral 3 and Mistral Small 3.x: no window; queries grow with the logarithm of their position beyond the length that
/// the model was trained on.
public struct Ministral3Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Ministral 3, Mistral Small 3", modelTypes: ["ministral3"], classes: ["Ministral3ForCausalLM"],
        gguf: ["mistral3"],
        defaults: [
            "max_position_embeddings": 262_144, "num_key_value_heads": 8, "rms_norm_eps": 1e-5, "head_dim": 128,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        var temperature: (beta: Float, originalLength: Int)?
        let rope = try metadata.object("rope_parameters")
        let inner = try rope?.number("llama_4_scaling_beta")
        let outer = try metadata.number("llama_4_scaling_beta", gguf: "attention.temperature_scale")
        let beta = inner ?? outer ?? 0
        if beta != 0 {
            let key = "original_max_position_embeddings"
            let length: Int
            if let stated = try rope?.optionalSize(key, limit: 1 << 30) {
                length = stated
            } else {
                length = try metadata.size(key, gguf: "rope.scaling.original_context_length", limit: 1 << 30)
            }
            temperature = (Float(beta), length)
        }
        return try MistralLayers.encode(model, temperature: temperature)
    }
}

private enum MistralLayers {
    static func encode(
        _ model: ModelSource, temperature: (beta: Float, originalLength: Int)?
    ) throws(WeightLoadingError) -> ForwardPlan {
        var decoder = try DecoderBuilder(model, norm: .rms(epsilon: try model.metadata.rmsEpsilon()))
        var attention = DecoderAttention(
            decoder.sizes, rotary: try decoder.rotary(pairing: .halves, ggufPairing: .interleaved))
        attention.queryTemperature = temperature
        let activation = try model.metadata.activation()
        let windows = try decoder.windows()
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = windows[layer]
            stream = try decoder.preNormLayer(stream, attention, activation, layer: layer)
        }
        return try decoder.finish(stream)
    }
}
