public import Tensors

/// The hyperparameters of a checkpoint, from a Hugging Face `config.json` or from GGUF metadata alike.
public struct ModelConfiguration: Sendable, Hashable {
    /// Whose names and conventions the checkpoint follows.
    public enum Format: String, Sendable, Hashable {
        case huggingFace
        case gguf
    }

    /// The file it was read from, for errors.
    public var file: String
    /// Whose tensor names and row orders the checkpoint follows.
    public var format: Format
    /// `LlamaForCausalLM` or, in GGUF files, `llama`.
    public var architecture: String
    /// Numbers of a token's row between layers.
    public var hiddenSize: Int
    /// Numbers of a token's row inside the feed-forward part.
    public var intermediateSize: Int
    /// Decoder layers.
    public var layerCount: Int
    /// Query heads.
    public var headCount: Int
    /// Key and value heads; divides `headCount`.
    public var keyValueHeadCount: Int
    /// Numbers of a head.
    public var headSize: Int
    /// Rows of the embedding table and of the logits.
    public var vocabularySize: Int
    /// Added to the mean square in norms.
    public var normEpsilon: Double
    /// Positions and angles.
    public var rotary: RotaryConfiguration
    /// Positions that the model was trained for.
    public var maxPositionCount: Int
    /// Positions that attention looks back; nil: all.
    public var slidingWindow: Int?
    /// Layers that see all positions where the others have a window.
    public var layersWithoutWindow: Set<Int>
    /// Whether the embedding table is the output matrix as well.
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
    /// What the checkpoint says its numbers are stored as; nil when it says nothing or they are quantized.
    public var elementType: ElementType?

    /// The facts as given.
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
