public import Backends
public import Weights

/// Gemma 4 (text): heads of two sizes, keys and values that the last layers share, a second embedding for each layer, a
/// factor on the output of each layer, and in the 26B-A4B experts beside the MLP.
public struct Gemma4Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "Gemma 4 (text)", modelTypes: ["gemma4_text"], classes: ["Gemma4ForCausalLM"],
        gguf: ["gemma4"],
        defaults: [
            "max_position_embeddings": 131_072, "num_key_value_heads": 4, "num_attention_heads": 8, "head_dim": 256,
            "global_head_dim": 512, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 30,
            "vocab_size": 262_144, "sliding_window": 512, "hidden_size_per_layer_input": 256,
        ])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        var encoder = try Gemma4Encoder(model)
        return try encoder.encode()
    }
}

/// The state of one encoding.
private struct Gemma4Encoder {
    private var decoder: DecoderBuilder
    private let layers: [Gemma4Layer]
    private let activation: Activation
    /// Beside the MLP of each layer; nil: there are none.
    private let experts: DecoderExperts?
    private let epsilon: Double
    /// Width of the embedding that each layer has of its own; 0: there is none.
    private let perLayerWidth: Int
    /// The cache layers of layers that have keys and values of their own.
    private var caches: [Int: Int] = [:]

    init(_ model: ModelSource) throws(WeightLoadingError) {
        let metadata = model.metadata
        epsilon = try metadata.rmsEpsilon()
        let huggingFace: [TensorPart: String] = [
            .attentionPostNorm: "post_attention_layernorm", .feedForwardNorm: "pre_feedforward_layernorm",
            .feedForwardPostNorm: "post_feedforward_layernorm", .layerScale: "layer_scalar",
            .perLayerGate: "per_layer_input_gate", .perLayerOutput: "per_layer_projection",
            .perLayerNorm: "post_per_layer_input_norm", .perLayerEmbedding: "embed_tokens_per_layer",
            .perLayerProjection: "per_layer_model_projection", .perLayerProjectionNorm: "per_layer_projection_norm",
            .router: "router.proj", .routerScale: "router.scale", .expertFactors: "router.per_expert_scale",
            .expertGateUp: "experts.gate_up_proj", .expertDown: "experts.down_proj",
            .densePostNorm: "post_feedforward_layernorm_1", .expertNorm: "pre_feedforward_layernorm_2",
            .expertPostNorm: "post_feedforward_layernorm_2",
        ]
        let naming = TensorNaming(
            huggingFace, tensors: [.routerScale, .expertFactors, .expertGateUp, .expertDown])
        decoder = try DecoderBuilder(
            model, sizes: try DecoderSizes(gemma4: metadata), naming: naming, norm: .rms(epsilon: epsilon))
        layers = try Gemma4Layer.all(decoder)
        activation = try metadata.activation("hidden_activation", default: "gelu_pytorch_tanh")
        let hasExperts =
            decoder.isGGUF
            ? (try metadata.integer("", gguf: "expert_count") ?? 0) > 0
            : try metadata.bool("enable_moe_block") ?? false
        if hasExperts {
            var experts = DecoderExperts(
                routing: try metadata.routing(["num_experts"], choices: "top_k_experts", isNormalized: true),
                intermediateSize: try metadata.size("moe_intermediate_size", gguf: "expert_feed_forward_length"),
                activation: activation)
            experts.hasFactors = true
            self.experts = experts
        } else {
            experts = nil
        }
        let (key, ggufKey) = ("hidden_size_per_layer_input", "embedding_length_per_layer_input")
        perLayerWidth = try metadata.integer(key, gguf: ggufKey) ?? 0
        guard (0...1 << 16).contains(perLayerWidth) else {
            throw metadata.illTyped(
                key, gguf: ggufKey, expected: "an integer from 0 to \(1 << 16)", found: "\(perLayerWidth)")
        }
    }

    mutating func encode() throws(WeightLoadingError) -> ForwardPlan {
        let metadata = decoder.metadata
        var stream = try decoder.embedding(scale: Float(decoder.sizes.hiddenSize).squareRoot())
        let perLayer = perLayerWidth > 0 ? try perLayerInputs(stream) : nil
        for layer in layers {
            let attended = try attention(try decoder.norm(stream, .attentionNorm, layer: layer.index), layer)
            let middle = decoder.add(stream, try decoder.norm(attended, .attentionPostNorm, layer: layer.index))
            var fed = try decoder.gatedMLP(
                try decoder.norm(middle, .feedForwardNorm, layer: layer.index), activation, layer: layer.index,
                width: layer.intermediateSize)
            if let experts { fed = try addingExperts(experts, of: middle, to: fed, layer.index) }
            stream = decoder.add(middle, try decoder.norm(fed, .feedForwardPostNorm, layer: layer.index))
            if let perLayer { stream = try addingPerLayerInput(perLayer, to: stream, layer.index) }
            let name = decoder.naming.weight(.layerScale, layer: layer.index)
            if decoder.model.has(name) {
                stream = decoder.scale(stream, by: Double(try decoder.flatVector(name, count: 1)[0]))
            }
        }
        return try decoder.finish(
            stream, softCap: try metadata.positive("final_logit_softcapping", gguf: "final_logit_softcapping"))
    }

    /// `norm1(dense) + norm2(experts(norm(stream)))`. The router reads the stream, normalised with weights of its own and
    /// divided by the root of its width.
    private mutating func addingExperts(
        _ experts: DecoderExperts, of stream: ValueID, to dense: ValueID, _ layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let width = decoder.sizes.hiddenSize
        let name = decoder.naming.weight(.routerScale, layer: layer)
        let root = Float(width).squareRoot()
        let weight = decoder.plan.addVector(
            name, try decoder.flatVector(name, count: width).map { $0 / root })
        let routerInput = decoder.plan.addValue(rows: .tokens, width: width)
        decoder.plan.append(
            .rmsNorm(input: stream, weight: weight, epsilon: Float(epsilon), output: routerInput))
        let chosen = try decoder.experts(
            try decoder.norm(stream, .expertNorm, layer: layer), routerInput: routerInput, experts, layer: layer)
        return decoder.add(
            try decoder.norm(dense, .densePostNorm, layer: layer),
            try decoder.norm(chosen, .expertPostNorm, layer: layer))
    }

    /// Attention without a scale, as queries and keys are normalised. Values are normalised too. A layer that shares keys and
    /// values reads those of an earlier one.
    private mutating func attention(_ input: ValueID, _ layer: Gemma4Layer) throws(WeightLoadingError) -> ValueID {
        let (attention, index) = (layer.attention, layer.index)
        let query = try decoder.linear(
            input, .query, layer: index, width: attention.queryWidth, hasBias: attention.biases.contains(.query))
        let rotated = try decoder.positioned(query, .queryNorm, attention, layer: index)
        if let shared = layer.sharedLayer, let cache = caches[shared] {
            // Published checkpoints have keys, values and their norms here too, which the class does not read.
            for part in [TensorPart.keyNorm, .key, .value] { try decoder.skip(part, layer: index) }
            return try decoder.attending(rotated, attention, cache: cache, layer: index)
        }
        let (width, hasBias) = (attention.keyValueWidth, attention.biases.contains(.key))
        let key = try decoder.linear(input, .key, layer: index, width: width, hasBias: hasBias)
        let hasValues = decoder.model.has(decoder.naming.weight(.value, layer: index))
        let value =
            hasValues
            ? try decoder.linear(input, .value, layer: index, width: width, hasBias: hasBias) : key
        let normedValue = decoder.rmsNormWithoutWeights(value, groupSize: attention.headSize, epsilon: epsilon)
        let rotatedKey = try decoder.positioned(key, .keyNorm, attention, layer: index)
        let cache = decoder.plan.addCacheLayer(
            CacheLayer(keyValueHeadCount: attention.keyValueHeadCount, headSize: attention.headSize))
        caches[index] = cache
        decoder.plan.append(.writeKV(layer: cache, key: rotatedKey, value: normedValue))
        return try decoder.attending(rotated, attention, cache: cache, layer: index)
    }

    /// What each layer gets of the tokens beside the stream, `[tokens, layers * perLayerWidth]`: a second embedding, and a
    /// projection of the first one.
    private mutating func perLayerInputs(_ stream: ValueID) throws(WeightLoadingError) -> ValueID {
        let width = layers.count * perLayerWidth
        let vocabulary =
            try decoder.metadata.optionalSize("vocab_size_per_layer_input", limit: 1 << 26)
            ?? decoder.model.shape.vocabularySize
        let table = try decoder.matrix(
            decoder.naming.weight(.perLayerEmbedding), inputSize: width, outputSize: vocabulary)
        let embedded = decoder.plan.addValue(rows: .tokens, width: width)
        decoder.plan.append(.embed(table: table, scale: Float(perLayerWidth).squareRoot(), output: embedded))
        let projected = decoder.scale(
            try decoder.linear(stream, .perLayerProjection, width: width),
            by: 1 / Double(decoder.sizes.hiddenSize).squareRoot())
        let normed = try decoder.norm(
            projected, named: decoder.naming.module(.perLayerProjectionNorm), groupSize: perLayerWidth)
        return decoder.scale(decoder.add(normed, embedded), by: 0.5.squareRoot())
    }

    private mutating func addingPerLayerInput(
        _ inputs: ValueID, to stream: ValueID, _ layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let gate = try decoder.linear(stream, .perLayerGate, layer: layer, width: perLayerWidth)
        let input = decoder.slice(inputs, offset: layer * perLayerWidth, width: perLayerWidth)
        let projected = try decoder.linear(
            decoder.gated(gate, input, activation), .perLayerOutput, layer: layer, width: decoder.sizes.hiddenSize)
        return decoder.add(stream, try decoder.norm(projected, .perLayerNorm, layer: layer))
    }
}

/// What a layer of Gemma 4 has of its own.
private struct Gemma4Layer {
    let index: Int
    let attention: DecoderAttention
    let intermediateSize: Int
    /// The layer whose keys and values this one reads; nil: its own.
    let sharedLayer: Int?

    static func all(_ decoder: DecoderBuilder) throws(WeightLoadingError) -> [Gemma4Layer] {
        let (metadata, sizes) = (decoder.metadata, decoder.sizes)
        let count = sizes.layerCount
        let windows = try decoder.windows(pattern: 6)
        let shared = try metadata.integer("num_kv_shared_layers", gguf: "attention.shared_kv_layers") ?? 0
        guard (0..<count).contains(shared) else {
            throw metadata.illTyped(
                "num_kv_shared_layers", gguf: "attention.shared_kv_layers", expected: "fewer than \(count) layers",
                found: "\(shared)")
        }
        let firstShared = count - shared
        let isDoubleWide = try metadata.bool("use_double_wide_mlp") ?? false
        guard let widths = try metadata.layerSizes("intermediate_size", gguf: "feed_forward_length", count: count)
        else {
            throw .missingKey(
                file: metadata.file, key: metadata.name("intermediate_size", gguf: "feed_forward_length"),
                expected: "an integer, or one for each layer")
        }
        let heads = try headSizes(decoder)
        let local = try decoder.rotary(layerType: "sliding_attention", headSize: heads.local, isLocal: true)
        let global = try decoder.rotary(layerType: "full_attention", headSize: heads.global, isLocal: false)
        let keyValueHeads = try keyValueHeadCounts(decoder, windows)
        let hasBias = try metadata.bool("attention_bias") ?? false
        var result: [Gemma4Layer] = []
        for index in 0..<count {
            let isLocal = windows[index] != nil
            var attention = DecoderAttention(sizes, rotary: isLocal ? local : global)
            attention.headSize = isLocal ? heads.local : heads.global
            attention.keyValueHeadCount = keyValueHeads[index]
            attention.scale = 1
            if hasBias { attention.biases = .all }
            attention.headNorm = .perHead
            attention.slidingWindow = windows[index]
            let source = (0..<firstShared).last { (windows[$0] != nil) == isLocal }
            let isShared = index >= firstShared
            if isShared, source == nil {
                throw metadata.illTyped(
                    "num_kv_shared_layers", gguf: "attention.shared_kv_layers",
                    expected: "a layer of each kind that is not shared", found: "\(shared)")
            }
            result.append(
                Gemma4Layer(
                    index: index, attention: attention,
                    intermediateSize: widths[index] * (isDoubleWide && isShared && !decoder.isGGUF ? 2 : 1),
                    sharedLayer: isShared ? source : nil))
        }
        return result
    }

    private static func headSizes(
        _ decoder: DecoderBuilder
    ) throws(WeightLoadingError) -> (local: Int, global: Int) {
        let metadata = decoder.metadata
        if decoder.isGGUF {
            let global = try metadata.size("", gguf: "attention.key_length", limit: 1 << 14)
            return (try metadata.optionalSize("", gguf: "attention.key_length_swa", limit: 1 << 14) ?? global, global)
        }
        let local = try metadata.size("head_dim", limit: 1 << 14)
        // transformers 5.24 writes the global layers' size into an object for each of them.
        if let layers = try metadata.object("per_layer_config"), let first = layers.keys.first,
            let global = try layers.object(first)?.optionalSize("head_dim", limit: 1 << 14)
        {
            return (local, global)
        }
        return (local, try metadata.optionalSize("global_head_dim", limit: 1 << 14) ?? local)
    }

    /// Heads of keys and values of each layer. Global layers may have fewer.
    private static func keyValueHeadCounts(
        _ decoder: DecoderBuilder, _ windows: [Int?]
    ) throws(WeightLoadingError) -> [Int] {
        let metadata = decoder.metadata
        let count = windows.count
        let common =
            try metadata.layerSizes("num_key_value_heads", gguf: "attention.head_count_kv", count: count)
            ?? Array(repeating: decoder.sizes.headCount, count: count)
        var global = try metadata.optionalSize("num_global_key_value_heads")
        if let layers = try metadata.object("per_layer_config"), let first = layers.keys.first {
            global = try layers.object(first)?.optionalSize("num_key_value_heads") ?? global
        }
        return (0..<count).map { windows[$0] == nil ? global ?? common[$0] : common[$0] }
    }
}

extension DecoderSizes {
    /// Sizes that differ between layers are read for each of them.
    fileprivate init(gemma4 metadata: ModelMetadata) throws(WeightLoadingError) {
        let heads = try metadata.size("num_attention_heads", gguf: "attention.head_count")
        self.init(
            hiddenSize: try metadata.size("hidden_size", gguf: "embedding_length"),
            layerCount: try metadata.size("num_hidden_layers", gguf: "block_count", limit: 1 << 14), headCount: heads,
            keyValueHeadCount: heads,
            headSize: try metadata.size("head_dim", gguf: "attention.key_length", limit: 1 << 14), intermediateSize: 1)
    }
}

extension DecoderBuilder {
    /// The rotation of one kind of layers. GGUF files have divisors for the global ones, and other keys for the others.
    fileprivate func rotary(
        layerType: String, headSize: Int, isLocal: Bool
    ) throws(WeightLoadingError) -> RotaryEmbedding {
        guard isGGUF, isLocal else {
            var decoder = self
            return try decoder.rotary(
                headSize: headSize, share: .partial(default: 1), layerType: layerType, theta: 1_000_000)
        }
        let theta = try metadata.positive("", gguf: "rope.freq_base_swa") ?? 10_000
        return RotaryParameters(theta: theta, rotarySize: headSize).embedding(
            pairing: .halves, contextLength: model.contextLength)
    }
}
