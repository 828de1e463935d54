public import Backends
public import Weights

/// Phi-1, 1.5 and 2: attention and MLP side by side after one layer norm, biases everywhere, a part of each head rotated.
public struct PhiArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Phi-1, Phi-2", modelTypes: ["phi"], classes: ["PhiForCausalLM"], gguf: ["phi2"],
        defaults: ["max_position_embeddings": 2048])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming([
            .finalNorm: "final_layernorm", .attentionOutput: "self_attn.dense", .up: "mlp.fc1", .down: "mlp.fc2",
            .queryNorm: "self_attn.q_layernorm", .keyNorm: "self_attn.k_layernorm",
        ])
        var decoder = try DecoderBuilder(model, naming: naming, norm: .layer(epsilon: try metadata.layerEpsilon()))
        var attention = DecoderAttention(decoder.sizes, rotary: try decoder.rotary(share: .partial(default: 0.5)))
        attention.biases = .all
        if try metadata.bool("qk_layernorm") == true { attention.headNorm = .perHead }
        let activation = try metadata.pointwiseActivation(default: "gelu_new")
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            stream = try decoder.parallelLayer(
                stream, attention, layer: layer
            ) { decoder, normed throws(WeightLoadingError) in
                try decoder.plainMLP(normed, activation, layer: layer, hasBias: true)
            }
        }
        return try decoder.finish(stream, hasBias: true)
    }
}
