public import Backends
public import Weights

/// MiniCPM 1 and 2: Llama with scaled embeddings, residual additions and logits (arXiv 2404.06395). Its keys are those of the
/// `modeling_minicpm.py` that its checkpoints bring.
public struct MiniCPMArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "MiniCPM 1 and 2", modelTypes: ["minicpm"], classes: ["MiniCPMForCausalLM"], gguf: ["minicpm"],
        defaults: ["max_position_embeddings": 2048, "scale_emb": 1, "scale_depth": 1, "dim_model_base": 1])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        if let experts = try metadata.integer("num_experts", gguf: "expert_count"), experts > 0 {
            throw metadata.unsupported(
                "num_experts", gguf: "expert_count", found: "\(experts)", supported: "models without experts")
        }
        var decoder = try DecoderBuilder(model, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        let sizes = decoder.sizes
        var attention = DecoderAttention(
            sizes, rotary: try decoder.rotary(pairing: .halves, ggufPairing: .interleaved))
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let activation = try metadata.activation()
        let scales = try scales(metadata, sizes)
        var stream = try decoder.embedding(scale: Float(scales.embedding))
        for layer in 0..<sizes.layerCount {
            stream = try decoder.preNormLayer(
                stream, attention, activation, layer: layer, residualScale: scales.residual)
        }
        return try decoder.finish(stream, scale: scales.logits)
    }

    /// GGUF files state the factors; files of before they did have those of the 2B model.
    private func scales(
        _ metadata: ModelMetadata, _ sizes: DecoderSizes
    ) throws(WeightLoadingError) -> (embedding: Double, residual: Double, logits: Double) {
        let depth = Double(sizes.layerCount).squareRoot()
        guard metadata.format == .huggingFace else {
            return (
                try metadata.positive("", gguf: "embedding_scale") ?? 12,
                try metadata.positive("", gguf: "residual_scale") ?? 1.4 / depth,
                // llama.cpp divides by the stored factor here.
                1 / (try metadata.positive("", gguf: "logit_scale") ?? Double(sizes.hiddenSize) / 256)
            )
        }
        return (
            try metadata.positive("scale_emb") ?? 1, try metadata.requiredPositive("scale_depth") / depth,
            try metadata.requiredPositive("dim_model_base") / Double(sizes.hiddenSize)
        )
    }
}
