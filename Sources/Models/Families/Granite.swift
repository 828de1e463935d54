public import Backends
public import Weights

/// Granite 3 and dense Granite 4: Llama with four multipliers, of embeddings, attention, residual additions and logits.
/// Granite 3's smallest models have experts.
public struct GraniteArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Granite 3, Granite 4 (dense)", modelTypes: ["granite", "granitemoe", "granitemoehybrid"],
        classes: ["GraniteForCausalLM", "GraniteMoeForCausalLM", "GraniteMoeHybridForCausalLM"],
        gguf: ["granite", "granitemoe"],
        defaults: ["max_position_embeddings": 2048, "num_local_experts": 8, "num_experts_per_tok": 2])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let isHybrid = metadata.architecture == "granitemoehybrid"
        if isHybrid { try requireDense(metadata) }
        let hasExperts = metadata.architecture == "granitemoe"
        var names: [TensorPart: String] = [:]
        if isHybrid { names = [.gateUp: "shared_mlp.input_linear", .down: "shared_mlp.output_linear"] }
        if hasExperts {
            names = [
                .router: "block_sparse_moe.router.layer", .expertGateUp: "block_sparse_moe.input_linear",
                .expertDown: "block_sparse_moe.output_linear",
            ]
        }
        var sizes = try DecoderSizes(metadata)
        if isHybrid { sizes.intermediateSize = try metadata.size("shared_intermediate_size") }
        var decoder = try DecoderBuilder(
            model, sizes: sizes, naming: TensorNaming(names), norm: .rms(epsilon: try metadata.rmsEpsilon()))
        let positions = try metadata.string("position_embedding_type")
        // llama.cpp's switch of the rotation is called "finetuned".
        let isRotated =
            decoder.isGGUF
            ? try metadata.bool("", gguf: "rope.scaling.finetuned") ?? true : !isHybrid || positions == "rope"
        let rotary = isRotated ? try decoder.rotary(pairing: .halves, ggufPairing: .interleaved) : nil
        var attention = DecoderAttention(sizes, rotary: rotary)
        attention.scale = Float(
            try metadata.positive("attention_multiplier", gguf: "attention.scale")
                ?? (decoder.isGGUF ? Double(attention.scale) : 1))
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let mlpHasBias = try metadata.bool("mlp_bias") ?? false
        let residualScale = try metadata.positive("residual_multiplier", gguf: "residual_scale") ?? 1
        let activation = try metadata.activation()
        var experts: DecoderExperts?
        if hasExperts {
            experts = DecoderExperts(
                routing: try metadata.routing(["num_local_experts"], isNormalized: true),
                intermediateSize: sizes.intermediateSize, activation: activation)
        }
        var stream = try decoder.embedding(
            scale: Float(try metadata.positive("embedding_multiplier", gguf: "embedding_scale") ?? 1))
        for layer in 0..<sizes.layerCount {
            stream = try decoder.preNormLayer(
                stream, attention, activation, experts: experts, layer: layer, residualScale: residualScale,
                mlpHasBias: mlpHasBias)
        }
        return try decoder.finish(
            stream, scale: 1 / (try metadata.positive("logits_scaling", gguf: "logit_scale") ?? 1))
    }

    /// Granite 4's class covers experts and recurrent layers too.
    private func requireDense(_ metadata: ModelMetadata) throws(WeightLoadingError) {
        let experts = try metadata.integer("num_local_experts") ?? 8
        guard experts == 0 else {
            throw metadata.unsupported(
                "num_local_experts", found: "\(experts)", supported: "models without experts")
        }
        let (types, oldTypes) = (try metadata.strings("layer_types"), try metadata.strings("layers_block_type"))
        if let other = (types ?? oldTypes ?? ["mamba"]).first(where: { !["attention", "full_attention"].contains($0) })
        {
            throw metadata.unsupported(
                "layer_types", found: other, supported: "models without recurrent layers")
        }
    }
}
