public import Backends
public import Weights

/// Phi-3, 3.5 and Phi-4-mini: Llama with one matrix for queries, keys and values and one for gate and up, and LongRoPE
/// (arXiv 2404.14219).
public struct Phi3Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Phi-3, Phi-3.5, Phi-4-mini", modelTypes: ["phi3"], classes: ["Phi3ForCausalLM"], gguf: ["phi3"],
        defaults: ["max_position_embeddings": 4096, "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-5])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let naming = TensorNaming(
            [.queryKeyValue: "self_attn.qkv_proj", .gateUp: "mlp.gate_up_proj"], gguf: [.gateUp: "ffn_up"])
        var decoder = try DecoderBuilder(model, naming: naming, norm: .rms(epsilon: try model.metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary(share: .partial(default: 1)))
        let activation = try model.metadata.activation()
        // GGUF's converter states a window that llama.cpp ignores too.
        let windows = decoder.isGGUF ? [] : try decoder.windows()
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = decoder.isGGUF ? nil : windows[layer]
            stream = try decoder.preNormLayer(stream, attention, activation, layer: layer)
        }
        return try decoder.finish(stream)
    }
}
