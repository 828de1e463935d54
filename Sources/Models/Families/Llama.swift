public import Backends
public import Weights

/// Llama 2 and 3, SmolLM2, Falcon 3 and many others: RMS norms before each block, rotary positions, grouped-query attention,
/// SwiGLU (Touvron et al., arXiv 2302.13971 and 2307.09288).
public struct LlamaArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Llama 2 and 3, SmolLM2, Falcon 3, Yi", modelTypes: ["llama"], classes: ["LlamaForCausalLM"], gguf: ["llama"],
        defaults: ["max_position_embeddings": 2048])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        // GGUF files of Mixtral state Llama's architecture.
        if let experts = try metadata.integer("", gguf: "expert_count"), experts > 0 {
            return try MixtralArchitecture().encode(model)
        }
        var decoder = try DecoderBuilder(model, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        // GGUF's converter permutes the rows of Llama's query and key matrices so that neighbours form a pair.
        var attention = DecoderAttention(
            decoder.sizes, rotary: try decoder.rotary(pairing: .halves, ggufPairing: .interleaved))
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let mlpHasBias = try metadata.bool("mlp_bias") ?? false
        let activation = try metadata.activation()
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            stream = try decoder.preNormLayer(stream, attention, activation, layer: layer, mlpHasBias: mlpHasBias)
        }
        return try decoder.finish(stream)
    }
}
