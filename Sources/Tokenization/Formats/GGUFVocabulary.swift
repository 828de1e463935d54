/// The tokenizer that a GGUF file carries in its `tokenizer.ggml.…` keys.
public struct GGUFVocabulary: Sendable, Hashable {
    /// The kind of tokenizer: `gpt2` (byte-level BPE), `llama` (SentencePiece BPE by scores), `gemma4` (SentencePiece BPE
    /// by merges) or `t5` (SentencePiece Unigram).
    public var model: String
    /// The name of the pre-tokenizer's rules: `smollm`, `llama-bpe`, `qwen2`, …; nil in old files.
    public var pre: String?
    /// The tokens by id. Those of byte-level BPE are written in its alphabet.
    public var tokens: [String]
    /// The type of each token, `[tokens]`: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte. Or empty.
    public var tokenTypes: [Int32]
    /// BPE merges in the order of their ranks: two tokens separated by a space.
    public var merges: [String]
    /// SentencePiece scores, `[tokens]`, or empty.
    public var scores: [Float] = []
    /// The token that begins a text.
    public var bosID: TokenID?
    /// The token that ends a text.
    public var eosID: TokenID?
    /// The token that ends a turn of a chat.
    public var eotID: TokenID?
    /// The token that ends a message, of which a turn may have several.
    public var eomID: TokenID?
    /// The token for text that no other token covers.
    public var unknownID: TokenID?
    /// The token that pads batches.
    public var paddingID: TokenID?
    /// The token between two texts.
    public var separatorID: TokenID?
    /// The token whose output represents the whole text.
    public var classID: TokenID?
    /// The token that replaces a masked one.
    public var maskID: TokenID?
    /// Whether a text begins with `bosID`; nil: as in models with the same `pre`.
    public var addBOS: Bool?
    /// Whether a text ends with `eosID`; nil: no.
    public var addEOS: Bool?
    /// Whether a space is put before a text; nil: as in models of the same kind.
    public var addSpacePrefix: Bool?
    /// Whether several spaces count as one; nil: no.
    public var removeExtraWhitespaces: Bool?
    /// SentencePiece's table for the normalization of texts, or empty.
    public var precompiledCharsMap: [UInt8] = []

    /// A vocabulary whose other properties are not stated.
    public init(
        model: String, pre: String?, tokens: [String], tokenTypes: [Int32], merges: [String], bosID: TokenID? = nil,
        addBOS: Bool? = nil
    ) {
        self.model = model
        self.pre = pre
        self.tokens = tokens
        self.tokenTypes = tokenTypes
        self.merges = merges
        self.bosID = bosID
        self.addBOS = addBOS
    }

    /// Texts of special tokens under the names that chat templates use.
    public var specialTokens: [String: String] {
        let ids = [
            "bos_token": bosID, "eos_token": eosID, "unk_token": unknownID, "sep_token": separatorID,
            "pad_token": paddingID, "cls_token": classID, "mask_token": maskID,
        ]
        return ids.compactMapValues { id in id.map { tokens[Int($0)] } }
    }

    /// All tokens that end an answer: those that the file names, and control tokens with a text of that meaning,
    /// because many files do not name them.
    public var endIDs: [TokenID] {
        var ids = [eosID, eotID, eomID].compactMap { $0 }
        for id in tokenTypes.indices where tokenTypes[id] == 3 && Self.endTexts.contains(tokens[id]) {
            ids.append(TokenID(id))
        }
        var seen: Set<TokenID> = []
        return ids.filter { seen.insert($0).inserted }
    }

    private static let endTexts: Set<String> = [
        "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|endoftext|>", "<|im_end|>", "<|end|>", "<end_of_turn>",
        "<EOT>", "<|end_of_turn|>",
    ]

    /// Sentences for the log: keys that `file` lacks although they affect how text is split, and what is used instead.
    public func warnings(file: String) -> [String] {
        guard model == "gpt2" else { return [] }
        var warnings: [String] = []
        if pre == nil {
            warnings.append(
                "\(file): key tokenizer.ggml.pre is missing; texts are cut by GPT-2's rules, which may not be the model's"
            )
        }
        if tokenTypes.isEmpty {
            warnings.append("\(file): key tokenizer.ggml.token_type is missing; no token is taken for a control token")
        }
        return warnings
    }
}
