public import Backends
public import Weights

/// Mixtral: Llama with experts; the two best of a token's eight are weighed by the softmax of their logits (Jiang et al.,
/// arXiv 2401.04088).
public struct MixtralArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Mixtral", modelTypes: ["mixtral"], classes: ["MixtralForCausalLM"],
        defaults: [
            "max_position_embeddings": 131_072, "num_key_value_heads": 8, "rms_norm_eps": 1e-5, "num_local_experts": 8,
            "num_experts_per_tok": 2,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming([
            .router: "block_sparse_moe.gate", .expertGate: "block_sparse_moe.experts.*.w1",
            .expertDown: "block_sparse_moe.experts.*.w2", .expertUp: "block_sparse_moe.experts.*.w3",
        ])
        var decoder = try DecoderBuilder(model, naming: naming, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(
            decoder.sizes, rotary: try decoder.rotary(pairing: .halves, ggufPairing: .interleaved))
        let activation = try metadata.activation()
        let experts = DecoderExperts(
            routing: try metadata.routing(["num_local_experts"], isNormalized: true),
            intermediateSize: decoder.sizes.intermediateSize, activation: activation)
        let windows = try decoder.windows()
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = windows[layer]
            stream = try decoder.preNormLayer(stream, attention, activation, experts: experts, layer: layer)
        }
        return try decoder.finish(stream)
    }
}
