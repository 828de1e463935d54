public import Backends
internal import Tensors
public import Weights

/// The self-attention of a decoder layer.
///
/// ```swift
/// var attention = DecoderAttention(decoder.sizes, rotary: rotary)
/// attention.headNorm = .perHead
/// attention.slidingWindow = layer % 6 == 5 ? nil : 512
/// ```
public struct DecoderAttention: Sendable {
    /// A norm of queries and keys before they are rotated.
    public enum HeadNorm: Sendable, Hashable {
        case none
        /// Each head by itself; all heads have the same weights.
        case perHead
        /// Each head by itself, with weights of its own.
        case perHeadWeights
        /// All heads of a row together.
        case wholeRow
    }

    /// The order of rows in a matrix of queries, keys and values.
    public enum FusedOrder: Sendable, Hashable {
        /// All queries, all keys, all values.
        case concatenated
        /// A query, a key and a value for each head. GGUF's converters make it `concatenated`.
        case interleaved
    }

    /// Projections that have a bias in Hugging Face checkpoints. GGUF files state none: there, tensors that exist count.
    public struct Biases: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let query = Biases(rawValue: 1)
        public static let key = Biases(rawValue: 2)
        public static let value = Biases(rawValue: 4)
        public static let output = Biases(rawValue: 8)
        public static let queryKeyValue: Biases = [.query, .key, .value]
        public static let all: Biases = [.query, .key, .value, .output]
    }

    public var headCount: Int
    public var keyValueHeadCount: Int
    public var headSize: Int
    /// Nil: queries and keys are not rotated (NoPE).
    public var rotary: RotaryEmbedding?
    /// Factor on the scores; `1 / sqrt(headSize)` by default.
    public var scale: Float
    /// A token sees so many positions, its own included; nil: all.
    public var slidingWindow: Int?
    public var softCap: Float?
    /// Whether a learned logit for each head takes part in the softmax.
    public var hasSinks = false
    public var biases: Biases = []
    public var headNorm = HeadNorm.none
    /// Whether `headNorm` comes after the rotation.
    public var isNormedAfterRotation = false
    public var fusedOrder = FusedOrder.concatenated
    /// Queries are multiplied by `1 + beta * log(1 + floor(position / originalLength))`.
    public var queryTemperature: (beta: Float, originalLength: Int)?

    public init(_ sizes: DecoderSizes, rotary: RotaryEmbedding?) {
        headCount = sizes.headCount
        keyValueHeadCount = sizes.keyValueHeadCount
        headSize = sizes.headSize
        scale = 1 / Float(sizes.headSize).squareRoot()
        self.rotary = rotary
    }

    public var queryWidth: Int { headCount * headSize }
    public var keyValueWidth: Int { keyValueHeadCount * headSize }
}

extension DecoderBuilder {
    /// Causal self-attention of `input`, projected back to the width of the stream.
    public mutating func attention(
        _ input: ValueID, _ attention: DecoderAttention, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let (query, key, value) = try projections(input, attention, layer: layer)
        let rotatedQuery = try positioned(query, .queryNorm, attention, layer: layer)
        let rotatedKey = try positioned(key, .keyNorm, attention, layer: layer)
        let cache = plan.addCacheLayer(
            CacheLayer(keyValueHeadCount: attention.keyValueHeadCount, headSize: attention.headSize))
        plan.append(.writeKV(layer: cache, key: rotatedKey, value: value))
        return try attending(rotatedQuery, attention, cache: cache, layer: layer)
    }

    /// Attention of `query`, which is rotated already, over cache layer `cache`, projected back to the width of the stream.
    public mutating func attending(
        _ query: ValueID, _ attention: DecoderAttention, cache: Int, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        var query = query
        if let (beta, originalLength) = attention.queryTemperature {
            let scaled = plan.addValue(rows: .tokens, width: attention.queryWidth)
            plan.append(.positionScale(input: query, beta: beta, originalLength: originalLength, output: scaled))
            query = scaled
        }
        var sinks: VectorID?
        if attention.hasSinks {
            let name = naming.weight(.attentionSinks, layer: layer)
            sinks = plan.addVector(name, try model.vector(name, count: attention.headCount))
        }
        let attended = plan.addValue(rows: .tokens, width: attention.queryWidth)
        let shape = AttentionShape(
            queryHeadCount: attention.headCount, scale: attention.scale, slidingWindow: attention.slidingWindow,
            softCap: attention.softCap, sinks: sinks)
        plan.append(.pagedAttention(layer: cache, query: query, attention: shape, output: attended))
        return try linear(
            attended, .attentionOutput, layer: layer, width: sizes.hiddenSize,
            hasBias: attention.biases.contains(.output))
    }

    /// Queries or keys: normalised and rotated, in the order of `attention`.
    public mutating func positioned(
        _ input: ValueID, _ part: TensorPart, _ attention: DecoderAttention, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        if attention.isNormedAfterRotation {
            return try normedHeads(rotated(input, attention), part, attention, layer: layer)
        }
        return rotated(try normedHeads(input, part, attention, layer: layer), attention)
    }

    private mutating func rotated(_ input: ValueID, _ attention: DecoderAttention) -> ValueID {
        guard let rotary = attention.rotary else { return input }
        let output = plan.addValue(rows: .tokens, width: plan[input].width)
        plan.append(.rotaryEmbedding(input: input, headSize: attention.headSize, rotary: rotary, output: output))
        return output
    }

    private mutating func normedHeads(
        _ input: ValueID, _ part: TensorPart, _ attention: DecoderAttention, layer: Int
    ) throws(WeightLoadingError) -> ValueID {
        let (module, width) = (naming.module(part, layer: layer), plan[input].width)
        switch attention.headNorm {
        case .none: return input
        case .perHead: return try norm(input, named: module, groupSize: attention.headSize)
        case .perHeadWeights:
            return try norm(input, named: module, groupSize: attention.headSize, weightCount: width)
        case .wholeRow: return try norm(input, named: module, groupSize: width)
        }
    }

    /// Queries, keys and values, from three matrices or from rows of one.
    public mutating func projections(
        _ input: ValueID, _ attention: DecoderAttention, layer: Int
    ) throws(WeightLoadingError) -> (query: ValueID, key: ValueID, value: ValueID) {
        let (queryWidth, width) = (attention.queryWidth, attention.keyValueWidth)
        let fused = naming.weight(.queryKeyValue, layer: layer)
        guard naming.has(.queryKeyValue), model.has(fused) else {
            return (
                try linear(
                    input, .query, layer: layer, width: queryWidth, hasBias: attention.biases.contains(.query)),
                try linear(input, .key, layer: layer, width: width, hasBias: attention.biases.contains(.key)),
                try linear(input, .value, layer: layer, width: width, hasBias: attention.biases.contains(.value))
            )
        }
        let parts: [[Range<Int>]]
        switch isGGUF ? .concatenated : attention.fusedOrder {
        case .concatenated:
            parts = [
                [0..<queryWidth], [queryWidth..<queryWidth + width], [queryWidth + width..<queryWidth + 2 * width],
            ]
        case .interleaved:
            let size = attention.headSize
            parts = (0..<3).map { part in
                (0..<attention.headCount).map { head in
                    let start = (3 * head + part) * size
                    return start..<start + size
                }
            }
        }
        let values = try fusedLinear(
            input, .queryKeyValue, layer: layer, width: queryWidth + 2 * width, parts: parts,
            hasBias: attention.biases.contains(.query))
        if attention.fusedOrder == .interleaved {
            setAlias(.queryKeyValue, layer: layer, rowOrder: interleavedOrder(attention))
        }
        return (values[0], values[1], values[2])
    }

    /// For each row of a matrix of queries, keys and values, its row in the other format: interleaved in Hugging Face
    /// checkpoints, concatenated in GGUF files.
    private func interleavedOrder(_ attention: DecoderAttention) -> [Int] {
        let (size, count) = (attention.headSize, attention.headCount)
        return (0..<3 * count * size).map { row in
            let (group, offset) = (row / size, row % size)
            let other = isGGUF ? group % count * 3 + group / count : group % 3 * count + group / 3
            return other * size + offset
        }
    }

    /// `input` times rows of one stored matrix, as a value for each of `parts`.
    mutating func fusedLinear(
        _ input: ValueID, _ part: TensorPart, layer: Int, width: Int, parts: [[Range<Int>]], hasBias: Bool
    ) throws(WeightLoadingError) -> [ValueID] {
        let name = naming.weight(part, layer: layer)
        let whole = try layerMatrix(name, inputSize: plan[input].width, outputSize: width)
        let biasName = naming.bias(part, layer: layer)
        var bias: [Float]?
        if isGGUF ? model.has(biasName) : hasBias { bias = try model.vector(biasName, count: width) }
        setAlias(part, layer: layer, rowOrder: nil)
        var values: [ValueID] = []
        for ranges in parts {
            let weights = plan.addMatrix(name, rows: ranges, whole.selectingRows(ranges))
            let vector = bias.map { bias in plan.addVector(biasName, ranges.flatMap { bias[$0] }) }
            values.append(linear(input, weights, bias: vector))
        }
        return values
    }
}

// MARK: Feed-forward blocks

extension DecoderBuilder {
    /// `down(activation(gate(input)) * up(input))`; gate and up may be rows of one matrix.
    public mutating func gatedMLP(
        _ input: ValueID, _ activation: Activation, layer: Int, width: Int? = nil, hasBias: Bool = false
    ) throws(WeightLoadingError) -> ValueID {
        let width = width ?? sizes.intermediateSize
        let gate: ValueID
        let up: ValueID
        if naming.has(.gateUp), model.has(naming.weight(.gateUp, layer: layer)),
            !model.has(naming.weight(.gate, layer: layer))
        {
            let values = try fusedLinear(
                input, .gateUp, layer: layer, width: 2 * width, parts: [[0..<width], [width..<2 * width]],
                hasBias: hasBias)
            (gate, up) = (values[0], values[1])
        } else {
            gate = try linear(input, .gate, layer: layer, width: width, hasBias: hasBias)
            up = try linear(input, .up, layer: layer, width: width, hasBias: hasBias)
        }
        return try linear(
            gated(gate, up, activation), .down, layer: layer, width: sizes.hiddenSize, hasBias: hasBias)
    }

    /// `down(activation(up(input)))`.
    public mutating func plainMLP(
        _ input: ValueID, _ activation: PointwiseActivation, layer: Int, hasBias: Bool = false
    ) throws(WeightLoadingError) -> ValueID {
        let up = try linear(input, .up, layer: layer, width: sizes.intermediateSize, hasBias: hasBias)
        let activated = plan.addValue(rows: .tokens, width: sizes.intermediateSize)
        plan.append(.activation(input: up, activation: activation, output: activated))
        return try linear(activated, .down, layer: layer, width: sizes.hiddenSize, hasBias: hasBias)
    }
}

extension ModelMetadata {
    /// The gated activation that the checkpoint names. Throws `unsupported` for one that Quire lacks.
    func activation(
        _ key: String = "hidden_act", gguf: String? = nil, default name: String = "silu"
    ) throws(WeightLoadingError) -> Activation {
        switch try string(key, gguf: gguf) ?? name {
        // `swish` is another name of `silu`.
        case "silu", "swish": .silu
        case "gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_tanh": .geluTanh
        case "gelu": .gelu
        case "relu": .relu
        case let other:
            throw unsupported(key, gguf: gguf, found: other, supported: "silu, gelu, gelu_pytorch_tanh, relu")
        }
    }

    /// The activation of a feed-forward block without a gate.
    func pointwiseActivation(
        _ key: String = "hidden_act", gguf: String? = nil, default name: String
    ) throws(WeightLoadingError) -> PointwiseActivation {
        switch try string(key, gguf: gguf) ?? name {
        case "silu", "swish": .silu
        case "gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_tanh": .geluTanh
        case "gelu": .gelu
        case "relu": .relu
        case "relu2": .reluSquared
        case let other:
            throw unsupported(key, gguf: gguf, found: other, supported: "silu, gelu, gelu_pytorch_tanh, relu, relu2")
        }
    }
}
