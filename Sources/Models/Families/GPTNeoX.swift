public import Backends
public import Weights

/// GPT-NeoX and Pythia: attention and MLP side by side, each after a layer norm of its own (arXiv 2204.06745).
public struct GPTNeoXArchitecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "GPT-NeoX, Pythia", modelTypes: ["gpt_neox"], classes: ["GPTNeoXForCausalLM"], gguf: ["gptneox"],
        defaults: ["max_position_embeddings": 2048, "use_parallel_residual": true, "attention_bias": true])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        let naming = TensorNaming(
            [
                .embedding: "embed_in", .finalNorm: "final_layer_norm", .output: "embed_out",
                .queryKeyValue: "attention.query_key_value", .attentionOutput: "attention.dense",
                .up: "mlp.dense_h_to_4h", .down: "mlp.dense_4h_to_h",
            ], prefix: "gpt_neox.")
        var decoder = try DecoderBuilder(
            model, sizes: try DecoderSizes(metadata, groupsHeads: false), naming: naming,
            norm: .layer(epsilon: try metadata.layerEpsilon()))
        // The share of each head that is rotated has another name before transformers 5.
        let share = try metadata.positive("rotary_pct") ?? 0.25
        var attention = DecoderAttention(
            decoder.sizes,
            rotary: try decoder.rotary(
                share: .partial(default: share), theta: try metadata.positive("rotary_emb_base") ?? 10_000))
        attention.fusedOrder = .interleaved
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let isParallel = try metadata.bool("use_parallel_residual", gguf: "use_parallel_residual") ?? true
        let activation = try metadata.pointwiseActivation(default: "gelu")
        var stream = try decoder.embedding()
        for layer in 0..<decoder.sizes.layerCount {
            let attended = try decoder.attention(
                try decoder.norm(stream, .attentionNorm, layer: layer), attention, layer: layer)
            let middle = decoder.add(stream, attended)
            let fed = try decoder.plainMLP(
                try decoder.norm(isParallel ? stream : middle, .feedForwardNorm, layer: layer), activation,
                layer: layer,
                hasBias: true)
            stream = decoder.add(middle, fed)
        }
        return try decoder.finish(stream)
    }
}
