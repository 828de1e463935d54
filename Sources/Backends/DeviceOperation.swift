/// One operation of a plan. Backends switch over it exhaustively, so a new operation does not compile before each of them
/// handles it.
///
/// A feed-forward layer reads in a plan as
///
/// ```swift
/// plan.append(.rmsNorm(input: hidden, weight: norm, epsilon: 1e-5, output: normed))
/// plan.append(.linear(input: normed, weights: gateMatrix, bias: nil, output: gate))
/// plan.append(.linear(input: normed, weights: upMatrix, bias: nil, output: up))
/// plan.append(.gatedActivation(gate: gate, up: up, activation: .silu, output: product))
/// plan.append(.linear(input: product, weights: downMatrix, bias: nil, output: down))
/// plan.append(.add(left: hidden, right: down, output: next))
/// ```
///
/// and `quire config show --plan` prints the fourth of them as `%7 [tokens, 1536] = gatedActivation(%5, %6, silu)`.
public enum DeviceOperation: Sendable, Hashable {
    /// `output[t] = table[index[t]] * scale`. Table `[rows, width]`, output `[tokens, width]`. By default the token ids are
    /// the index, and the table is `[vocabularySize, width]`.
    case embed(table: MatrixID, index: EmbeddingIndex = .tokens, scale: Float, output: ValueID)

    /// Root-mean-square norm of each contiguous group of `weight.count` numbers of a row:
    /// `output = input / sqrt(mean(input²) + epsilon) * weight` (Zhang and Sennrich, arXiv 1910.07467).
    /// A weight as wide as the row normalises the whole row; one as wide as a head normalises each head by itself.
    case rmsNorm(input: ValueID, weight: VectorID, epsilon: Float, output: ValueID)

    /// Layer norm of each contiguous group of `groupSize` numbers of a row, with the group's mean and variance:
    /// `output = (input - mean) / sqrt(variance + epsilon) * weight + bias` (Ba et al., arXiv 1607.06450).
    /// Weight and bias are nil (1 and 0), or `groupSize` numbers, the same for each group, or as many as the row is wide.
    case layerNorm(
        input: ValueID, weight: VectorID?, bias: VectorID?, groupSize: Int, epsilon: Float, output: ValueID)

    /// `output = input · weightsᵀ + bias`. Input `[rows, inputSize]`, output `[rows, outputSize]`.
    case linear(input: ValueID, weights: MatrixID, bias: VectorID?, output: ValueID)

    /// Chooses experts for each row, and how much each counts. Logits `[rows, expertCount]`, output
    /// `[rows, routing.routeWidth]`: the numbers of the chosen experts, the best first, then their weights. `bias` is added
    /// for the choice only, `factors` multiply the weights; both `[expertCount]`. (`ExpertRouting`)
    case route(logits: ValueID, bias: VectorID?, factors: VectorID?, routing: ExpertRouting, output: ValueID)

    /// Each row times matrices of a set, such as those of its experts or of its adapter:
    /// `output[t][c] = input[t][c] · set[m]ᵀ + bias[m]`, where `m` is choice `c` of row `t`. Output
    /// `[rows, choices * outputSize]`, input `[rows, choices * inputSize]`, or `[rows, inputSize]` where all choices read
    /// the same. Bias `[matrices * outputSize]`.
    case selectedLinear(
        input: ValueID, set: MatrixSetID, bias: VectorID?, selector: MatrixSelector, output: ValueID)

    /// `output[t] = Σ weight[t][c] * input[t][c]` over the choices of a route, the first one first. Input
    /// `[rows, choices * width]`, output `[rows, width]`.
    case weightedSum(input: ValueID, routes: ValueID, output: ValueID)

    /// Rotates each head of a row by the row's position (Su et al., arXiv 2104.09864). `[tokens, heads * headSize]`.
    case rotaryEmbedding(input: ValueID, headSize: Int, rotary: RotaryEmbedding, output: ValueID)

    /// Writes each row's key and value, `[tokens, keyValueHeads * headSize]` each, into the batch's slots of `layer`.
    case writeKV(layer: Int, key: ValueID, value: ValueID)

    /// Attention of each query row over its own sequence's cached keys and values up to its own position,
    /// read through the block table (Kwon et al., arXiv 2309.06180). Query and output `[tokens, queryHeads * headSize]`.
    /// Comes after the `writeKV` of the same layer.
    case pagedAttention(layer: Int, query: ValueID, attention: AttentionShape, output: ValueID)

    /// `output = activation(gate) * up`, or another function of both (`Activation`), element by element.
    case gatedActivation(gate: ValueID, up: ValueID, activation: Activation, output: ValueID)

    /// `output = activation(input)`, element by element: the activation of a feed-forward layer without a gate.
    case activation(input: ValueID, activation: PointwiseActivation, output: ValueID)

    /// `output = input * factor`, element by element.
    case scale(input: ValueID, factor: Float, output: ValueID)

    /// Scales queries by their position, so that attention stays sharp behind the length of training:
    /// `output[t] = input[t] * (1 + beta * log(1 + floor(position[t] / originalLength)))`, `[tokens, width]`.
    /// Ministral 3 does (transformers' `get_llama_4_attn_scale`). Llama 4 counts positions from 1 there.
    case positionScale(input: ValueID, beta: Float, originalLength: Int, output: ValueID)

    /// `output = input[:, offset ..< offset + width of output]`: some columns of a row, such as one part of a fused
    /// projection.
    case slice(input: ValueID, offset: Int, output: ValueID)

    /// Puts the heads of a row together: head `h` of the output is the numbers that `first` names for `h`, then those of
    /// `second`, then zeros. Output `[rows, headCount * headSize]`.
    ///
    /// In latent attention a key is a part that all heads share and a part of its own (DeepSeek-V2, arXiv 2405.04434, 2.1).
    case concatHeads(first: HeadColumns, second: HeadColumns?, headCount: Int, output: ValueID)

    /// `output = left + right`, element by element.
    case add(left: ValueID, right: ValueID, output: ValueID)

    /// `output[s] = input[sampleRows[s]]`: from `[tokens, width]` to `[samples, width]`.
    case gather(input: ValueID, output: ValueID)

    /// `output = cap * tanh(input / cap)`, element by element.
    case softCap(input: ValueID, cap: Float, output: ValueID)
}

/// What chooses the matrices that a `selectedLinear` multiplies a row with.
public enum MatrixSelector: Sendable, Hashable {
    /// A route of the row, `[rows, 2 * choices]`.
    case routes(ValueID)
    /// The adapter slot of the row's sequence (`ForwardBatch.adapterSlots`), one choice. The product is added to `addend`,
    /// which nothing else reads. Rows without an adapter, and those whose adapter has no matrix in the set, are `addend`
    /// unchanged; without an `addend` their numbers are not defined, and only a `selectedLinear` by adapters may read the
    /// output.
    case adapters(addend: ValueID?)

    /// The values that it reads.
    public var inputs: [ValueID] {
        switch self {
        case .routes(let routes): [routes]
        case .adapters(let addend): addend.map { [$0] } ?? []
        }
    }
}

/// Which row of its table an `embed` looks up for a token.
public enum EmbeddingIndex: Sendable, Hashable {
    /// The token's id.
    case tokens
    /// The token's position plus `offset`, as in tables of learned positions: 0 in GPT-2, 2 in OPT. A position behind the
    /// end of the table gets its last row.
    case positions(offset: Int)
}

/// Some columns of a value for each head: head `h` has columns `offset + h * stride ..< offset + h * stride + width`.
public struct HeadColumns: Sendable, Hashable {
    public let input: ValueID
    public let offset: Int
    /// Columns from one head to the next; 0: all heads have the same.
    public let stride: Int
    public let width: Int

    public init(_ input: ValueID, offset: Int = 0, stride: Int, width: Int) {
        self.input = input
        self.offset = offset
        self.stride = stride
        self.width = width
    }
}

/// How the numbers of a head are rotated by their position.
public struct RotaryEmbedding: Sendable, Hashable {
    /// Which two numbers of a head make a pair.
    public enum Pairing: String, Sendable, Hashable, CaseIterable {
        /// Pair `i` is `(i, i + rotarySize / 2)`: Hugging Face checkpoints (GPT-NeoX).
        case halves
        /// Pair `i` is `(2i, 2i + 1)`: GGUF files of the Llama architecture.
        case interleaved
    }

    /// Angle of pair `i` per position, in radians. The first `2 * frequencies.count` numbers of a head are rotated, the
    /// others are copied.
    public let frequencies: [Float]
    public let pairing: Pairing
    /// Factor on cosine and sine (YaRN's attention factor); 1 for plain rotation.
    public let magnitude: Float

    /// A rotation by `position * frequencies[i]` of each pair `i`.
    public init(frequencies: [Float], pairing: Pairing, magnitude: Float = 1) {
        self.frequencies = frequencies
        self.pairing = pairing
        self.magnitude = magnitude
    }
}

/// Heads, scale and mask of one attention.
public struct AttentionShape: Sendable, Hashable {
    /// Heads of the query; a multiple of the layer's key/value heads. Head `h` reads key/value head `h / group`.
    public let queryHeadCount: Int
    /// Factor on the scores, usually `1 / sqrt(headSize)`.
    public let scale: Float
    /// A query at position `p` sees the positions above `p - slidingWindow` only; nil: all.
    public let slidingWindow: Int?
    /// `score = cap * tanh(score / cap)` before the softmax; nil: none.
    public let softCap: Float?
    /// Attention sinks, `[queryHeadCount]`: for each head a score that takes part in the softmax's maximum and
    /// denominator and has no value; neither `scale` nor `softCap` is applied to it. Nil: none.
    /// (Xiao et al., arXiv 2309.17453; gpt-oss)
    public let sinks: VectorID?

    public init(
        queryHeadCount: Int, scale: Float, slidingWindow: Int? = nil, softCap: Float? = nil, sinks: VectorID? = nil
    ) {
        self.queryHeadCount = queryHeadCount
        self.scale = scale
        self.slidingWindow = slidingWindow
        self.softCap = softCap
        self.sinks = sinks
    }
}
