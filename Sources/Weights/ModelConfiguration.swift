public import Tensors

/// The hyperparameters of a model, from a Hugging Face `config.json` or from GGUF metadata.
public struct ModelConfiguration: Sendable, Hashable {
    /// The family of file formats, which decides tensor names and conventions.
    public enum Format: String, Sendable, Hashable {
        case huggingFace
        case gguf
    }

    /// The file that was read, for errors.
    public var file: String
    public var format: Format
    /// `LlamaForCausalLM` or, in GGUF files, `llama`.
    public var architecture: String
    /// Width of the residual stream.
    public var hiddenSize: Int
    /// Width inside the feed-forward block.
    public var intermediateSize: Int
    /// The number of decoder layers.
    public var layerCount: Int
    /// The number of query heads.
    public var headCount: Int
    /// The number of key and value heads; divides `headCount`.
    public var keyValueHeadCount: Int
    public var headSize: Int
    /// Rows of the embedding table and of the logits.
    public var vocabularySize: Int
    /// Epsilon of the norms.
    public var normEpsilon: Double
    public var rotary: RotaryConfiguration
    /// The maximum position of training (`max_position_embeddings`).
    public var maxPositionCount: Int
    /// The size of the sliding window in positions; nil: attention sees all positions.
    public var slidingWindow: Int?
    /// Layers with full attention although the others have a sliding window.
    public var layersWithoutWindow: Set<Int>
    /// Whether the embedding table is also the output matrix.
    public var tieWordEmbeddings: Bool
    /// Whether attention's projections have biases.
    public var attentionBias: Bool
    /// Whether the feed-forward projections have biases.
    public var mlpBias: Bool
    /// The checkpoint's name of the activation: `silu`.
    public var hiddenActivation: String
    /// The token that begins a text.
    public var bosTokenID: Int?
    /// Tokens that end a generation, without repetitions.
    public var eosTokenIDs: [Int]
    /// The type of the numbers according to the checkpoint; nil: not stated, or they are quantized.
    public var elementType: ElementType?

    public init(
        file: String, format: Format, architecture: String, hiddenSize: Int, intermediateSize: Int, layerCount: Int,
        headCount: Int, keyValueHeadCount: Int, headSize: Int, vocabularySize: Int, normEpsilon: Double,
        rotary: RotaryConfiguration, maxPositionCount: Int, slidingWindow: Int? = nil,
        layersWithoutWindow: Set<Int> = [], tieWordEmbeddings: Bool, attentionBias: Bool = false, mlpBias: Bool = false,
        hiddenActivation: String = "silu",
        bosTokenID: Int? = nil, eosTokenIDs: [Int] = [], elementType: ElementType? = nil
    ) {
        self.file = file
        self.format = format
        self.architecture = architecture
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headSize = headSize
        self.vocabularySize = vocabularySize
        self.normEpsilon = normEpsilon
        self.rotary = rotary
        self.maxPositionCount = maxPositionCount
        self.slidingWindow = slidingWindow
        self.layersWithoutWindow = layersWithoutWindow
        self.tieWordEmbeddings = tieWordEmbeddings
        self.attentionBias = attentionBias
        self.mlpBias = mlpBias
        self.hiddenActivation = hiddenActivation
        self.bosTokenID = bosTokenID
        self.eosTokenIDs = eosTokenIDs
        self.elementType = elementType
    }
}

/// The rotary position embedding of a model.
public struct RotaryConfiguration: Sendable, Hashable {
    /// The scaling of frequencies for long contexts.
    public enum Scaling: Sendable, Hashable {
        case none
        /// Every frequency divided by `factor`.
        case linear(factor: Double)
        /// Llama 3.1's: low frequencies divided, high ones kept, those between interpolated.
        case llama3(
            factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalMaxPositionCount: Int)
        /// An unsupported scaling, by its name in the checkpoint.
        case other(String)
    }

    /// The base of the frequencies.
    public var theta: Double
    /// The number of elements of each head that are rotated.
    public var rotarySize: Int
    public var scaling: Scaling

    public init(theta: Double, rotarySize: Int, scaling: Scaling = .none) {
        self.theta = theta
        self.rotarySize = rotarySize
        self.scaling = scaling
    }
}

/// Checks of sizes in a configuration. They are positive, and small enough that products of three do not overflow and a
/// wrong one does not cause huge allocations.
struct ConfigurationLimits {
    let file: String

    /// `value`, if it is a size from 1 to `limit`.
    func size(_ value: Int?, _ key: String, limit: Int = 1 << 20) throws(WeightLoadingError) -> Int {
        let expected = "an integer from 1 to \(limit)"
        guard let value else { throw .missingKey(file: file, key: key, expected: expected) }
        guard (1...limit).contains(value) else {
            throw .illTypedKey(file: file, key: key, expected: expected, found: "\(value)")
        }
        return value
    }

    /// `value`, if it is positive.
    func positive(_ value: Double, _ key: String) throws(WeightLoadingError) -> Double {
        guard value > 0, value.isFinite else {
            throw .illTypedKey(file: file, key: key, expected: "a positive number", found: "\(value)")
        }
        return value
    }

    /// Checks that `count` query heads are a multiple of `keyValueCount`.
    func requireGroups(count: Int, keyValueCount: Int, key: String) throws(WeightLoadingError) {
        guard count % keyValueCount == 0 else {
            throw .illTypedKey(
                file: file, key: key, expected: "a divisor of the \(count) query heads", found: "\(keyValueCount)")
        }
    }

    /// The default size of a head, for a checkpoint that does not state it.
    func headSize(hiddenSize: Int, headCount: Int, key: String) throws(WeightLoadingError) -> Int {
        guard hiddenSize % headCount == 0 else {
            throw .illTypedKey(
                file: file, key: key, expected: "a divisor of the hidden size, \(hiddenSize)", found: "\(headCount)")
        }
        return hiddenSize / headCount
    }

    /// Checks that `size` elements of a head can be rotated in pairs.
    func requireRotarySize(_ size: Int, headSize: Int, key: String) throws(WeightLoadingError) {
        guard size >= 2, size % 2 == 0, size <= headSize else {
            throw .illTypedKey(
                file: file, key: key, expected: "an even number up to the head size, \(headSize)", found: "\(size)")
        }
    }
}
