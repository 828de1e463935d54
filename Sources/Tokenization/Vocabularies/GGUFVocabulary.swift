/// The vocabulary that a GGUF file carries in its `tokenizer.ggml.…` keys.
public struct GGUFVocabulary: Sendable {
    /// Kind of tokenizer; `gpt2` is byte-level BPE.
    public var model: String
    /// How text is cut into words: `smollm`, `llama-bpe`, `qwen2`, `gpt-2`, `default`, ….
    public var pre: String
    /// The tokens by id, in the byte-level alphabet.
    public var tokens: [String]
    /// The kind of each token: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte.
    public var tokenTypes: [Int32]
    /// The merges by rank, two tokens apart by a space.
    public var merges: [String]
    /// The score of each token; byte-level BPE does not need them.
    public var scores: [Float]
    /// Begins a sequence.
    public var bosID: TokenID?
    /// Ends a sequence.
    public var eosID: TokenID?
    /// Stands for what is in no token.
    public var unknownID: TokenID?
    /// Fills up a batch.
    public var paddingID: TokenID?
    /// Whether `bosID` begins an encoded text; nil: as models of its kind (`pre`) do.
    public var addBOS: Bool?
    /// Whether `eosID` ends an encoded text.
    public var addEOS: Bool
    /// The chat template's source.
    public var chatTemplate: String?

    /// A vocabulary of these parts.
    public init(
        model: String, pre: String, tokens: [String], tokenTypes: [Int32], merges: [String], scores: [Float] = [],
        bosID: TokenID? = nil, eosID: TokenID? = nil, unknownID: TokenID? = nil, paddingID: TokenID? = nil,
        addBOS: Bool? = nil, addEOS: Bool = false, chatTemplate: String? = nil
    ) {
        self.model = model
        self.pre = pre
        self.tokens = tokens
        self.tokenTypes = tokenTypes
        self.merges = merges
        self.scores = scores
        self.bosID = bosID
        self.eosID = eosID
        self.unknownID = unknownID
        self.paddingID = paddingID
        self.addBOS = addBOS
        self.addEOS = addEOS
        self.chatTemplate = chatTemplate
    }
}
