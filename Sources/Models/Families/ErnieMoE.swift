public import Backends
public import Weights

/// ERNIE 4.5 with experts: a bias decides which of them are chosen, and all tokens share some.
public struct ErnieMoEArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "ERNIE 4.5 (experts)", modelTypes: ["ernie4_5_moe"], classes: ["Ernie4_5_MoeForCausalLM"],
        gguf: ["ernie4_5-moe"],
        defaults: [
            "max_position_embeddings": 131_072, "num_key_value_heads": 4, "rms_norm_eps": 1e-5, "moe_num_experts": 64,
            "moe_k": 6, "moe_num_shared_experts": 2, "moe_intermediate_size": 1536,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming(
            TensorNaming.expertModules.merging([
                .choiceBias: "mlp.moe_statics.e_score_correction_bias", .sharedGate: "mlp.shared_experts.gate_proj",
                .sharedUp: "mlp.shared_experts.up_proj", .sharedDown: "mlp.shared_experts.down_proj",
            ]) { $1 })
        var decoder = try DecoderBuilder(model, naming: naming, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary(pairing: .interleaved))
        let isBiased = try metadata.bool("use_bias") ?? false
        if isBiased { attention.biases = .all }
        let activation = try metadata.activation()
        let size = try metadata.size("moe_intermediate_size", gguf: "expert_feed_forward_length")
        let sharedCount = try metadata.sharedExpertCount("moe_num_shared_experts")
        let sharedSize = try metadata.optionalSize("", gguf: "expert_shared_feed_forward_length") ?? sharedCount * size
        let experts = DecoderExperts(
            routing: try metadata.routing(["moe_num_experts"], choices: "moe_k", isNormalized: true),
            intermediateSize: size, activation: activation, hasChoiceBias: true,
            shared: sharedSize > 0 ? DecoderExperts.Shared(intermediateSize: sharedSize) : nil)
        let hasExperts = try layersWithExperts(metadata, count: decoder.sizes.layerCount)
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            stream = try decoder.preNormLayer(
                stream, attention, activation, experts: hasExperts[layer] ? experts : nil, layer: layer,
                mlpHasBias: isBiased)
        }
        return try decoder.finish(stream)
    }

    /// Every `moe_layer_interval`th layer between two.
    private func layersWithExperts(_ metadata: ModelMetadata, count: Int) throws(WeightLoadingError) -> [Bool] {
        let first = try metadata.integer("moe_layer_start_index", gguf: "leading_dense_block_count") ?? 1
        let last = try metadata.integer("moe_layer_end_index") ?? -1
        let interval = try metadata.optionalSize("moe_layer_interval", gguf: "interleave_moe_layer_step") ?? 1
        return (0..<count).map { ($0 + 1) % interval == 0 && $0 >= first && (last < 0 || $0 <= last) }
    }
}
