public import Backends
import CLibrary
public import Weights

/// Gemma 1: norms whose weight is one less than the factor, GeGLU, embeddings scaled by the root of their width, and an
/// output matrix that is the table (arXiv 2403.08295).
public struct GemmaArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Gemma 1", modelTypes: ["gemma"], classes: ["GemmaForCausalLM"], gguf: ["gemma"],
        defaults: ["max_position_embeddings": 8192, "num_key_value_heads": 16, "head_dim": 256])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        var decoder = try DecoderBuilder(model, norm: .rmsPlusOne(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary())
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        // Published configurations name the exact GELU, which the models were not trained with; the class replaces it.
        let isLegacy = try metadata.string("hidden_act") == "gelu"
        let activation = isLegacy ? .geluTanh : try metadata.activation(default: "gelu_pytorch_tanh")
        var stream = try decoder.embedding(scale: Float(decoder.sizes.hiddenSize).squareRoot())
        for layer in 0..<decoder.sizes.layerCount {
            stream = try decoder.preNormLayer(stream, attention, activation, layer: layer)
        }
        return try decoder.finish(stream)
    }
}

/// Gemma 2: norms before and after each block, soft caps, a window in every other layer (arXiv 2408.00118).
public struct Gemma2Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Gemma 2", modelTypes: ["gemma2"], classes: ["Gemma2ForCausalLM"], gguf: ["gemma2"],
        defaults: [
            "max_position_embeddings": 8192, "num_key_value_heads": 4, "head_dim": 256, "sliding_window": 4096,
            "query_pre_attn_scalar": 256, "attn_logit_softcapping": 50, "final_logit_softcapping": 30,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        var decoder = try DecoderBuilder(
            model, naming: GemmaNames.sandwich, norm: .rmsPlusOne(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary())
        attention.scale = try GemmaNames.queryScale(decoder)
        attention.softCap = try metadata.positive(
            "attn_logit_softcapping", gguf: "attn_logit_softcapping"
        ).map { Float($0) }
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let activation = try metadata.activation("hidden_activation", default: "gelu_pytorch_tanh")
        let windows = try decoder.windows(pattern: 2)
        var stream = try decoder.embedding(scale: Float(decoder.sizes.hiddenSize).squareRoot())
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = windows[layer]
            stream = try decoder.sandwichLayer(stream, attention, activation, layer: layer)
        }
        return try decoder.finish(
            stream,
            softCap: try metadata.positive("final_logit_softcapping", gguf: "final_logit_softcapping"))
    }
}

/// Gemma 3 (text): a norm of each head of queries and keys, five layers with a window for each one without, and a smaller
/// base of the rotation in those with a window (arXiv 2503.19786).
public struct Gemma3Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Gemma 3 (text)", modelTypes: ["gemma3_text"], classes: ["Gemma3ForCausalLM"], gguf: ["gemma3"],
        defaults: [
            "max_position_embeddings": 131_072, "num_key_value_heads": 4, "head_dim": 256, "sliding_window": 4096,
            "query_pre_attn_scalar": 256, "num_attention_heads": 8, "hidden_size": 2304, "intermediate_size": 9216,
            "num_hidden_layers": 26, "vocab_size": 262_208,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        var decoder = try DecoderBuilder(
            model, naming: GemmaNames.sandwich, norm: .rmsPlusOne(epsilon: try metadata.rmsEpsilon()))
        let global = try decoder.rotary(layerType: "full_attention", theta: 1_000_000)
        var attention = DecoderAttention(decoder.sizes, rotary: global)
        attention.headNorm = .perHead
        attention.scale = try GemmaNames.queryScale(decoder)
        attention.softCap = try metadata.positive("attn_logit_softcapping").map { Float($0) }
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let activation = try metadata.activation("hidden_activation", default: "gelu_pytorch_tanh")
        let pattern = try metadata.optionalSize("sliding_window_pattern") ?? 6
        let windows = try decoder.windows(pattern: pattern)
        let local = try localRotary(&decoder)
        var stream = try decoder.embedding(scale: Float(decoder.sizes.hiddenSize).squareRoot())
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = windows[layer]
            attention.rotary = windows[layer] == nil ? global : local
            stream = try decoder.sandwichLayer(stream, attention, activation, layer: layer)
        }
        return try decoder.finish(
            stream,
            softCap: try metadata.positive("final_logit_softcapping", gguf: "final_logit_softcapping"))
    }

    /// The rotation of layers with a window is never scaled. Its base stands under a key of its own before transformers 5.
    private func localRotary(_ decoder: inout DecoderBuilder) throws(WeightLoadingError) -> RotaryEmbedding {
        let metadata = decoder.metadata
        if let parameters = try metadata.object("rope_parameters"), parameters.hasObject("sliding_attention") {
            return try decoder.rotary(layerType: "sliding_attention")
        }
        let theta = try metadata.positive("rope_local_base_freq", gguf: "rope.freq_base_swa") ?? 10_000
        let headSize = decoder.sizes.headSize
        return RotaryParameters(theta: theta, rotarySize: headSize).embedding(
            pairing: .halves, contextLength: decoder.model.contextLength)
    }
}

enum GemmaNames {
    /// Norms before and after attention and feed-forward block.
    static let sandwich = TensorNaming([
        .attentionPostNorm: "post_attention_layernorm", .feedForwardNorm: "pre_feedforward_layernorm",
        .feedForwardPostNorm: "post_feedforward_layernorm",
    ])

    /// `query_pre_attn_scalar ^ -0.5`. GGUF files do not state it: it is the head size, but for the 27B models, where it is
    /// the width of the model by the heads.
    static func queryScale(_ decoder: DecoderBuilder) throws(WeightLoadingError) -> Float {
        let sizes = decoder.sizes
        if !decoder.isGGUF {
            let scalar = try decoder.metadata.positive("query_pre_attn_scalar") ?? Double(sizes.headSize)
            return Float(pow(scalar, -0.5))
        }
        let isLargest =
            decoder.metadata.architecture == "gemma2" && sizes.layerCount == 46
            || decoder.metadata.architecture == "gemma3" && sizes.layerCount == 62
        return 1 / Float(isLargest ? sizes.hiddenSize / sizes.headCount : sizes.headSize).squareRoot()
    }
}

extension DecoderBuilder {
    /// `x + norm(attention(norm(x)))`, then `x + norm(mlp(norm(x)))` with a gated MLP.
    mutating func sandwichLayer(
        _ stream: ValueID, _ attention: DecoderAttention, _ activation: Activation, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let attended = try self.attention(
            try norm(stream, .attentionNorm, layer: layer), attention, layer: layer)
        let middle = add(stream, try norm(attended, .attentionPostNorm, layer: layer))
        let fed = try gatedMLP(try norm(middle, .feedForwardNorm, layer: layer), activation, layer: layer)
        return add(middle, try norm(fed, .feedForwardPostNorm, layer: layer))
    }

    /// `x + norm(attention(x))`, then `x + norm(mlp(x))` with a gated MLP.
    mutating func postNormLayer(
        _ stream: ValueID, _ attention: DecoderAttention, _ activation: Activation, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let attended = try self.attention(stream, attention, layer: layer)
        let middle = add(stream, try norm(attended, .attentionPostNorm, layer: layer))
        let fed = try gatedMLP(middle, activation, layer: layer)
        return add(middle, try norm(fed, .feedForwardPostNorm, layer: layer))
    }
}
