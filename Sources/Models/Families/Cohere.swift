public import Backends
public import Weights

/// Command R (`cohere`) and Command R7B and A (`cohere2`): attention and gated MLP side by side after one layer norm without
/// bias, rotation in neighbouring pairs, scaled logits. Cohere2 has a window and rotation in three of four layers.
public struct CohereArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Command R, Command R7B, Command A", modelTypes: ["cohere", "cohere2"],
        classes: ["CohereForCausalLM", "Cohere2ForCausalLM"],
        gguf: ["command-r", "cohere2"],
        defaults: ["max_position_embeddings": 8192, "logit_scale": 0.0625, "sliding_window": 4096])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let isSecond = metadata.architecture == "cohere2"
        var decoder = try DecoderBuilder(model, norm: .layer(epsilon: try metadata.layerEpsilon()))
        let rotary = try decoder.rotary(pairing: .interleaved, theta: isSecond ? 10_000 : 500_000)
        var attention = DecoderAttention(decoder.sizes, rotary: rotary)
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        // GGUF files state the norms of heads by their tensors.
        let hasHeadNorms =
            decoder.isGGUF
            ? model.has(decoder.naming.weight(.queryNorm, layer: 0)) : try metadata.bool("use_qk_norm") ?? false
        if hasHeadNorms, !isSecond { attention.headNorm = .perHeadWeights }
        let activation = try metadata.activation()
        let windows =
            isSecond
            ? try decoder.windows(pattern: try metadata.optionalSize("sliding_window_pattern") ?? 4)
            : Array(repeating: nil, count: decoder.sizes.layerCount)
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            attention.slidingWindow = windows[layer]
            attention.rotary = isSecond && windows[layer] == nil ? nil : rotary
            stream = try decoder.parallelLayer(
                stream, attention, layer: layer
            ) { decoder, normed throws(WeightLoadingError) in
                try decoder.gatedMLP(normed, activation, layer: layer)
            }
        }
        return try decoder.finish(stream, scale: try metadata.positive("logit_scale", gguf: "logit_scale") ?? 1)
    }
}
