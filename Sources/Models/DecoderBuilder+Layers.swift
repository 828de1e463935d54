public import Backends
public import Weights

// What whole families share: the rotation, the windows and the usual layer.
extension DecoderBuilder {
    /// The rotary embedding that the checkpoint states for heads of `headSize` numbers.
    ///
    /// - Parameters:
    ///   - pairing: the pairs of Hugging Face checkpoints.
    ///   - ggufPairing: those of GGUF files, whose converters permute the rows of queries and keys of some families; nil:
    ///     the same.
    ///   - layerType: the kind of layers, where they have parameters of their own.
    ///   - theta: the base where none is stated.
    ///   - isYarnTruncated: whether YaRN's ramp begins and ends at pairs in GGUF files, which do not state it.
    public mutating func rotary(
        headSize: Int? = nil, share: RotaryShare = .whole, pairing: RotaryEmbedding.Pairing = .halves,
        ggufPairing: RotaryEmbedding.Pairing? = nil, layerType: String? = nil, theta: Double = 10_000,
        isYarnTruncated: Bool = true
    ) throws(WeightLoadingError) -> RotaryEmbedding {
        if let ggufPairing, ggufPairing != pairing { movesRowsInGGUF = true }
        let headSize = headSize ?? sizes.headSize
        var parameters = try RotaryParameters(
            metadata, headSize: headSize, share: share, layerType: layerType, theta: theta)
        guard isGGUF else { return parameters.embedding(pairing: pairing, contextLength: model.contextLength) }
        if case .yarn(let factor, let length, let fast, let slow, let magnitude, _) = parameters.scaling {
            parameters.scaling = .yarn(
                factor: factor, originalLength: length, betaFast: fast, betaSlow: slow, magnitude: magnitude,
                isTruncated: isYarnTruncated)
        }
        // Converters write the divisors of llama3 and LongRoPE scaling as tensors.
        var part: TensorPart? = model.has(naming.weight(.rotaryDivisors)) ? .rotaryDivisors : nil
        if model.has(naming.weight(.longRotaryDivisors)) {
            let original = try metadata.integer("", gguf: "rope.scaling.original_context_length")
            part = model.contextLength > original ?? .max ? .longRotaryDivisors : .shortRotaryDivisors
            for other in [TensorPart.longRotaryDivisors, .shortRotaryDivisors] { try skip(other, layer: 0) }
            if case .longRope = parameters.scaling {
            } else if let factor = try metadata.positive("", gguf: "rope.scaling.attn_factor") {
                let ones = Array(repeating: 1.0, count: parameters.rotarySize / 2)
                parameters.scaling = .longRope(
                    short: ones, long: ones, originalLength: original ?? 0, magnitude: factor)
            }
        }
        var divisors: [Float]?
        if let part {
            let name = naming.weight(part)
            let elements = try model.vector(name, count: parameters.rotarySize / 2)
            guard elements.allSatisfy({ $0 > 0 && $0.isFinite }) else {
                throw .malformedTensor(
                    file: model.tensors.file, tensor: name, reason: "a divisor is not a positive number")
            }
            divisors = elements
        }
        return parameters.embedding(
            pairing: ggufPairing ?? pairing, contextLength: model.contextLength, divisors: divisors)
    }

    /// The sliding window of each layer; nil: the layer sees all positions.
    ///
    /// Layers slide where `layer_types` says so, or GGUF's list; without either, all but every `pattern`th, or all where
    /// `pattern` is nil. GGUF files may state the pattern.
    public func windows(pattern: Int? = nil) throws(WeightLoadingError) -> [Int?] {
        let count = sizes.layerCount
        guard
            let window = try metadata.optionalSize(
                "sliding_window", gguf: "attention.sliding_window", limit: 1 << 30)
        else { return Array(repeating: nil, count: count) }
        return try slidingLayers(pattern: pattern).map { $0 ? window : nil }
    }

    /// Whether each layer has a sliding window; see `windows`.
    public func slidingLayers(pattern: Int? = nil) throws(WeightLoadingError) -> [Bool] {
        let count = sizes.layerCount
        if let types = try metadata.strings("layer_types") {
            guard types.count >= count else {
                throw metadata.illTyped(
                    "layer_types", expected: "\(count) elements, one a layer", found: "\(types.count)")
            }
            var layers: [Bool] = []
            for type in types.prefix(count) {
                guard ["full_attention", "sliding_attention"].contains(type) else {
                    throw metadata.unsupported(
                        "layer_types", found: type, supported: "full_attention, sliding_attention")
                }
                layers.append(type == "sliding_attention")
            }
            return layers
        }
        let ggufKey = "attention.sliding_window_pattern"
        var pattern = pattern
        if let period = try metadata.period(gguf: ggufKey) {
            // As in llama.cpp, 0 means that all layers slide.
            pattern = period == 0 ? nil : period
        } else if let list = try metadata.bools("", gguf: ggufKey) {
            guard list.count >= count else {
                throw metadata.illTyped(
                    "", gguf: ggufKey, expected: "\(count) elements, one a layer", found: "\(list.count)")
            }
            return Array(list.prefix(count))
        }
        guard let pattern else { return Array(repeating: true, count: count) }
        return (0..<count).map { ($0 + 1) % pattern != 0 }
    }

    /// The usual layer: `x + attention(norm(x))`, then `x + mlp(norm(x))` with a gated MLP, or with `experts`. Both additions
    /// are scaled by `residualScale`.
    public mutating func preNormLayer(
        _ stream: ValueID, _ attention: DecoderAttention, _ activation: Activation, experts: DecoderExperts? = nil,
        layer: Int, residualScale: Double = 1, mlpHasBias: Bool = false
    ) throws(WeightLoadingError) -> ValueID {
        let attended = try self.attention(
            try norm(stream, .attentionNorm, layer: layer), attention, layer: layer)
        let middle = add(stream, attended, scale: residualScale)
        let normed = try norm(middle, .feedForwardNorm, layer: layer)
        let fed =
            if let experts {
                try self.experts(normed, experts, layer: layer)
            } else {
                try gatedMLP(normed, activation, layer: layer, hasBias: mlpHasBias)
            }
        return add(middle, fed, scale: residualScale)
    }

    /// A layer whose attention and MLP both read `norm(x)`, and add to `x` side by side.
    public mutating func parallelLayer(
        _ stream: ValueID, _ attention: DecoderAttention, layer: Int,
        mlp: (inout DecoderBuilder, ValueID) throws(WeightLoadingError) -> ValueID
    ) throws(WeightLoadingError) -> ValueID {
        let normed = try norm(stream, .attentionNorm, layer: layer)
        let attended = try self.attention(normed, attention, layer: layer)
        return add(add(stream, attended), try mlp(&self, normed))
    }
}

extension ModelMetadata {
    /// The epsilon of RMS norms.
    func rmsEpsilon() throws(WeightLoadingError) -> Double {
        // A GGUF file always states it; transformers' classes have a default.
        format == .gguf
            ? try requiredPositive("", gguf: "attention.layer_norm_rms_epsilon") : try positive("rms_norm_eps") ?? 1e-6
    }

    /// The epsilon of layer norms, under the key that the family has in `config.json`.
    func layerEpsilon(_ key: String = "layer_norm_eps") throws(WeightLoadingError) -> Double {
        format == .gguf
            ? try requiredPositive("", gguf: "attention.layer_norm_epsilon") : try positive(key) ?? 1e-5
    }
}
