public import Backends
public import Weights

/// GPT-2: learned positions, layer norms, one matrix for queries, keys and values, an MLP without a gate (Radford et al.
/// 2019). Hugging Face checkpoints store its matrices as `[inputSize, outputSize]`.
public struct GPT2Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "GPT-2", modelTypes: ["gpt2"], classes: ["GPT2LMHeadModel"], gguf: ["gpt2"],
        aliases: [
            "hidden_size": "n_embd", "num_attention_heads": "n_head", "num_hidden_layers": "n_layer",
            "max_position_embeddings": "n_positions", "intermediate_size": "n_inner",
        ],
        defaults: [
            "hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 12, "max_position_embeddings": 1024,
            "vocab_size": 50_257,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        for key in ["scale_attn_by_inverse_layer_idx", "add_cross_attention"] {
            guard try metadata.bool(key) != true else {
                throw metadata.unsupported(key, found: "true", supported: "false")
            }
        }
        let naming = TensorNaming(
            [
                .embedding: "wte", .positionEmbedding: "wpe", .finalNorm: "ln_f", .attentionNorm: "ln_1",
                .queryKeyValue: "attn.c_attn", .attentionOutput: "attn.c_proj", .feedForwardNorm: "ln_2",
                .up: "mlp.c_fc", .down: "mlp.c_proj",
            ], prefix: "transformer.", layers: "h.")
        var decoder = try DecoderBuilder(
            model, sizes: try DecoderSizes(gpt2: metadata), naming: naming,
            norm: .layer(epsilon: try metadata.layerEpsilon("layer_norm_epsilon")))
        decoder.isTransposed = true
        var attention = DecoderAttention(decoder.sizes, rotary: nil)
        attention.biases = .all
        if try metadata.bool("scale_attn_weights") == false { attention.scale = 1 }
        let activation = try metadata.pointwiseActivation("activation_function", default: "gelu_new")
        var stream = try decoder.embedding()
        stream = try decoder.addingPositions(to: stream, count: model.shape.maxPositionCount)
        for layer in 0..<decoder.sizes.layerCount {
            let attended = try decoder.attention(
                try decoder.norm(stream, .attentionNorm, layer: layer), attention, layer: layer)
            stream = decoder.add(stream, attended)
            let fed = try decoder.plainMLP(
                try decoder.norm(stream, .feedForwardNorm, layer: layer), activation, layer: layer, hasBias: true)
            stream = decoder.add(stream, fed)
        }
        return try decoder.finish(stream)
    }
}

extension DecoderSizes {
    /// The MLP is four times as wide as the stream where its width is not stated.
    fileprivate init(gpt2 metadata: ModelMetadata) throws(WeightLoadingError) {
        let width = try metadata.size("hidden_size", gguf: "embedding_length")
        let inner = try metadata.optionalSize("intermediate_size", gguf: "feed_forward_length")
        try self.init(metadata, intermediateSize: inner ?? 4 * width, groupsHeads: false)
    }
}
