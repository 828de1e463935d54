public import Backends
public import Weights

/// SmolLM3: Llama without rotation in every fourth layer.
public struct SmolLM3Architecture: ModelArchitecture {
    public init() {}

    public let family = ModelFamily(
        "SmolLM3", modelTypes: ["smollm3"], classes: ["SmolLM3ForCausalLM"], gguf: ["smollm3"],
        defaults: ["max_position_embeddings": 32_768, "num_key_value_heads": 4, "rope_theta": 2_000_000])

    public func encode(_ model: ModelSource) throws(WeightLoadingError) -> ForwardPlan {
        let metadata = model.metadata
        var decoder = try DecoderBuilder(model, norm: .rms(epsilon: try metadata.rmsEpsilon()))
        let rotary = try decoder.rotary(pairing: .halves, ggufPairing: .interleaved, theta: 2_000_000)
        var attention = DecoderAttention(decoder.sizes, rotary: rotary)
        if try metadata.bool("attention_bias") == true { attention.biases = .all }
        let mlpHasBias = try metadata.bool("mlp_bias") ?? false
        let activation = try metadata.activation()
        let count = decoder.sizes.layerCount
        let interval = try metadata.optionalSize("no_rope_layer_interval") ?? 4
        let isRotated = try metadata.bools("no_rope_layers") ?? (0..<count).map { ($0 + 1) % interval != 0 }
        guard isRotated.count >= count else {
            throw metadata.illTyped(
                "no_rope_layers", expected: "\(count) elements, one a layer", found: "\(isRotated.count)")
        }
        let isWindowed = try metadata.bool("use_sliding_window") ?? false
        let windows = isWindowed ? try decoder.windows() : Array(repeating: nil, count: count)
        var stream = try decoder.embedding()
        for layer in 0..<count {
            attention.rotary = isRotated[layer] ? rotary : nil
            attention.slidingWindow = windows[layer]
            stream = try decoder.preNormLayer(stream, attention, activation, layer: layer, mlpHasBias: mlpHasBias)
        }
        return try decoder.finish(stream)
    }
}
