public import Backends
public import Weights

/// OLMo 1: layer norms without weights (arXiv 2402.00838).
public struct OlmoArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "OLMo 1", modelTypes: ["olmo"], classes: ["OlmoForCausalLM"], gguf: ["olmo"],
        defaults: ["max_position_embeddings": 2048])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        if let bound = try metadata.positive("clip_qkv", gguf: "attention.clamp_kqv") {
            throw metadata.unsupported(
                "clip_qkv", gguf: "attention.clamp_kqv", found: "\(bound)", supported: "none")
        }
        var decoder = try DecoderBuilder(model, norm: .layerWithoutWeights(epsilon: 1e-5))
        var attention = DecoderAttention(
            decoder.sizes, rotary: try decoder.rotary(pairing: .halves, ggufPairing: .interleaved))
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let activation = try metadata.activation()
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            stream = try decoder.preNormLayer(stream, attention, activation, layer: layer)
        }
        return try decoder.finish(stream)
    }
}

/// OLMo 2 and 3: norms after each block instead of before, and of all queries and all keys of a row; OLMo 3 has a window in
/// three of four layers (arXiv 2501.00656).
public struct Olmo2Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "OLMo 2 and 3", modelTypes: ["olmo2", "olmo3"], classes: ["Olmo2ForCausalLM", "Olmo3ForCausalLM"],
        gguf: ["olmo2"],
        defaults: ["max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "sliding_window": 4096])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming([
            .attentionPostNorm: "post_attention_layernorm", .feedForwardPostNorm: "post_feedforward_layernorm",
        ])
        var decoder = try DecoderBuilder(model, naming: naming, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        // Positions are scaled only in layers that see all of them.
        let global = try decoder.rotary(layerType: "full_attention")
        var attention = DecoderAttention(decoder.sizes, rotary: global)
        attention.headNorm = .wholeRow
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let activation = try metadata.activation()
        let isOlmo2 = metadata.architecture == "olmo2" && !decoder.isGGUF
        let windows =
            isOlmo2 ? Array(repeating: nil, count: decoder.sizes.layerCount) : try decoder.windows(pattern: 4)
        let local = windows.contains { $0 != nil } ? try localRotary(&decoder) : global
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = windows[layer]
            attention.rotary = windows[layer] == nil ? global : local
            stream = try decoder.postNormLayer(stream, attention, activation, layer: layer)
        }
        return try decoder.finish(stream)
    }

    private func localRotary(_ decoder: inout DecoderBuilder) throws(WeightLoadingError) -> RotaryEmbedding {
        let metadata = decoder.metadata
        if let parameters = try metadata.object("rope_parameters"), parameters.hasObject("sliding_attention") {
            return try decoder.rotary(layerType: "sliding_attention")
        }
        var parameters = try RotaryParameters(metadata, headSize: decoder.sizes.headSize)
        parameters.scaling = .none
        return parameters.embedding(pairing: .halves, contextLength: decoder.model.contextLength)
    }
}
