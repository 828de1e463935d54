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
    /// `output[t] = table[tokenIDs[t]] * scale`. Table `[vocabularySize, width]`, output `[tokens, width]`.
    case embed(table: MatrixID, scale: Float, output: ValueID)

    /// Root-mean-square norm of each contiguous group of `weight.count` numbers of a row:
    /// `output = input / sqrt(mean(input²) + epsilon) * weight` (Zhang and Sennrich, arXiv 1910.07467).
    /// A weight as wide as the row normalises the whole row; one as wide as a head normalises each head by itself.
    case rmsNorm(input: ValueID, weight: VectorID, epsilon: Float, output: ValueID)

    /// `output = input · weightsᵀ + bias`. Input `[rows, inputSize]`, output `[rows, outputSize]`.
    case linear(input: ValueID, weights: MatrixID, bias: VectorID?, output: ValueID)

    /// Rotates each head of a row by the row's position (Su et al., arXiv 2104.09864). `[tokens, heads * headSize]`.
    case rotaryEmbedding(input: ValueID, headSize: Int, rotary: RotaryEmbedding, output: ValueID)

    /// Writes each row's key and value, `[tokens, keyValueHeads * headSize]` each, into the batch's slots of `layer`.
    case writeKV(layer: Int, key: ValueID, value: ValueID)

    /// Attention of each query row over its own sequence's cached keys and values up to its own position,
    /// read through the block table (Kwon et al., arXiv 2309.06180). Query and output `[tokens, queryHeads * headSize]`.
    /// Comes after the `writeKV` of the same layer.
    case pagedAttention(layer: Int, query: ValueID, attention: AttentionShape, output: ValueID)

    /// `output = activation(gate) * up`, element by element.
    case gatedActivation(gate: ValueID, up: ValueID, activation: Activation, output: ValueID)

    /// `output = left + right`, element by element.
    case add(left: ValueID, right: ValueID, output: ValueID)

    /// `output[s] = input[sampleRows[s]]`: from `[tokens, width]` to `[samples, width]`.
    case gather(input: ValueID, output: ValueID)

    /// `output = cap * tanh(input / cap)`, element by element.
    case softCap(input: ValueID, cap: Float, output: ValueID)
}

extension DeviceOperation {
    /// The values it reads.
    public var inputs: [ValueID] { values.inputs }

    /// The value it writes; nil where it writes to the cache.
    public var output: ValueID? { values.output }

    /// The cache layer that it reads or writes.
    public var cacheLayer: Int? {
        switch self {
        case .writeKV(let layer, _, _), .pagedAttention(let layer, _, _, _): layer
        default: nil
        }
    }

    private var values: (inputs: [ValueID], output: ValueID?) {
        switch self {
        case .embed(_, _, let output): ([], output)
        case .rmsNorm(let input, _, _, let output): ([input], output)
        case .linear(let input, _, _, let output): ([input], output)
        case .rotaryEmbedding(let input, _, _, let output): ([input], output)
        case .writeKV(_, let key, let value): ([key, value], nil)
        case .pagedAttention(_, let query, _, let output): ([query], output)
        case .gatedActivation(let gate, let up, _, let output): ([gate, up], output)
        case .add(let left, let right, let output): ([left, right], output)
        case .gather(let input, let output): ([input], output)
        case .softCap(let input, _, let output): ([input], output)
        }
    }
}

/// The function of a gated activation.
public enum Activation: String, Sendable, Hashable, CaseIterable {
    /// `x / (1 + exp(-x))`.
    case silu
    /// `0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³)))`.
    case geluTanh = "gelu_tanh"
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

    public init(queryHeadCount: Int, scale: Float, slidingWindow: Int? = nil, softCap: Float? = nil) {
        self.queryHeadCount = queryHeadCount
        self.scale = scale
        self.slidingWindow = slidingWindow
        self.softCap = softCap
    }
}
