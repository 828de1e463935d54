public import Backends
public import Weights

/// gpt-oss: experts with biases and a clamped activation, and attention with sinks, in every second layer over a window
/// (arXiv 2508.10925).
public struct GPTOSSArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "gpt-oss", modelTypes: ["gpt_oss"], classes: ["GptOssForCausalLM"], gguf: ["gpt-oss"],
        defaults: [
            "hidden_size": 2880, "intermediate_size": 2880, "num_hidden_layers": 36, "vocab_size": 201_088,
            "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "sliding_window": 128,
            "max_position_embeddings": 131_072, "rms_norm_eps": 1e-5, "num_local_experts": 128,
            "num_experts_per_tok": 4, "attention_bias": true, "tie_word_embeddings": false,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        // GGUF's converter calls the norm before the experts by its name in transformers.
        let naming = TensorNaming(
            [
                .attentionSinks: "self_attn.sinks", .router: "mlp.router", .expertGateUp: "mlp.experts.gate_up_proj",
                .expertDown: "mlp.experts.down_proj",
            ], gguf: [.feedForwardNorm: "post_attention_norm"],
            tensors: [.expertGateUp, .expertDown])
        var decoder = try DecoderBuilder(model, naming: naming, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try rotary(&decoder))
        attention.hasSinks = true
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let activation = Activation.clampedSwiGLU(
            alpha: Float(try metadata.positive("swiglu_alpha") ?? 1.702),
            limit: Float(try metadata.positive("swiglu_limit") ?? 7))
        var experts = DecoderExperts(
            routing: try metadata.routing(["num_local_experts"], isNormalized: true),
            intermediateSize: try metadata.optionalSize("", gguf: "expert_feed_forward_length")
                ?? decoder.sizes.intermediateSize,
            activation: activation)
        experts.hasBias = true
        experts.isInterleaved = true
        experts.isTransposed = true
        let windows = try decoder.windows(pattern: 2)
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = windows[layer]
            stream = try decoder.preNormLayer(stream, attention, activation, experts: experts, layer: layer)
        }
        return try decoder.finish(stream)
    }

    /// YaRN whose ramp begins and ends between two pairs; llama.cpp rounds both ends. A configuration without parameters
    /// has those of the class.
    private func rotary(_ decoder: inout DecoderBuilder) throws(WeightLoadingError) -> RotaryEmbedding {
        let (metadata, theta) = (decoder.metadata, 150_000.0)
        let (new, old) = (try metadata.object("rope_parameters"), try metadata.object("rope_scaling"))
        if decoder.isGGUF || new != nil || old != nil {
            return try decoder.rotary(theta: theta, isYarnTruncated: false)
        }
        let parameters = RotaryParameters(
            theta: try metadata.positive("rope_theta") ?? theta, rotarySize: decoder.sizes.headSize,
            scaling: .yarn(
                factor: 32, originalLength: 4096, betaFast: 32, betaSlow: 1,
                magnitude: RotaryParameters.yarnMagnitude(factor: 32), isTruncated: false))
        return parameters.embedding(pairing: .halves, contextLength: decoder.model.contextLength)
    }
}
