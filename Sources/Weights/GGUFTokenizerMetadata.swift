/// The `tokenizer.ggml.*` keys of a GGUF file: a whole tokenizer.
public struct GGUFTokenizerMetadata: Sendable, Hashable {
    /// The kind: `gpt2` (byte-level BPE), `llama` (SentencePiece BPE), …
    public var model: String
    /// The name of the pre-tokenizer's rules; nil in old files.
    public var pre: String?
    /// The vocabulary; a token's id is its place.
    public var tokens: [String]
    /// The kind of each token, `[tokens]`: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte. Or empty.
    public var tokenTypes: [Int]
    /// BPE merges, best first: two tokens with a space between.
    public var merges: [String]
    /// SentencePiece scores, `[tokens]`, or empty.
    public var scores: [Float]
    /// The token that begins a text.
    public var bosID: Int?
    /// The token that ends a text.
    public var eosID: Int?
    /// The token that ends a turn of a chat.
    public var eotID: Int?
    /// The token that ends a message, of which a turn may have several.
    public var eomID: Int?
    /// The token for what the vocabulary lacks.
    public var unknownID: Int?
    /// The token that fills batches up.
    public var paddingID: Int?
    /// The token between two texts.
    public var separatorID: Int?
    /// The token whose output stands for the whole text.
    public var classID: Int?
    /// The token in the place of a hidden one.
    public var maskID: Int?
    /// Whether a text begins with `bosID`; nil: the model's custom.
    public var addBOS: Bool?
    /// Whether a text ends with `eosID`; nil: the model's custom.
    public var addEOS: Bool?
    /// Whether a space is put before a text; nil: the model's custom.
    public var addSpacePrefix: Bool?

    /// Reads `metadata` of `file`. Throws for a missing or ill-typed key, a list that is not as long as the
    /// vocabulary, or an id outside of it.
    public init(_ metadata: [String: GGUFValue], file: String) throws(WeightLoadingError) {
        let metadata = GGUFMetadata(file: file, values: metadata)
        let prefix = "tokenizer.ggml."
        guard let model = try metadata.string(prefix + "model") else {
            throw .missingKey(file: file, key: prefix + "model", expected: "the tokenizer's kind")
        }
        guard let tokens = try metadata.strings(prefix + "tokens"), !tokens.isEmpty else {
            throw .missingKey(file: file, key: prefix + "tokens", expected: "the vocabulary")
        }
        func id(_ key: String) throws(WeightLoadingError) -> Int? {
            guard let id = try metadata.integer(prefix + key) else { return nil }
            // Writers put -1, in 32 bits, for "none".
            guard id != -1, id != Int(UInt32.max) else { return nil }
            guard tokens.indices.contains(id) else {
                throw .illTypedKey(
                    file: file, key: prefix + key, expected: "an id below \(tokens.count)", found: "\(id)")
            }
            return id
        }
        func requireCount(_ count: Int, _ key: String) throws(WeightLoadingError) {
            guard count == 0 || count == tokens.count else {
                throw .illTypedKey(
                    file: file, key: prefix + key, expected: "\(tokens.count) elements, one a token", found: "\(count)")
            }
        }
        self.model = model
        self.tokens = tokens
        pre = try metadata.string(prefix + "pre")
        tokenTypes = try metadata.integers(prefix + "token_type") ?? []
        try requireCount(tokenTypes.count, "token_type")
        let merges = try metadata.strings(prefix + "merges")
        guard merges != nil || model != "gpt2" else {
            // Without them every token would be a single byte.
            throw .missingKey(file: file, key: prefix + "merges", expected: "the merges of a byte-level BPE")
        }
        self.merges = merges ?? []
        scores = try metadata.numbers(prefix + "scores") ?? []
        try requireCount(scores.count, "scores")
        bosID = try id("bos_token_id")
        eosID = try id("eos_token_id")
        eotID = try id("eot_token_id")
        eomID = try id("eom_token_id")
        unknownID = try id("unknown_token_id")
        paddingID = try id("padding_token_id")
        // GGUF's own spelling; some writers mend it.
        let separator = try id("seperator_token_id")
        separatorID = if let separator { separator } else { try id("separator_token_id") }
        classID = try id("cls_token_id")
        maskID = try id("mask_token_id")
        addBOS = try metadata.bool(prefix + "add_bos_token")
        addEOS = try metadata.bool(prefix + "add_eos_token")
        addSpacePrefix = try metadata.bool(prefix + "add_space_prefix")
    }

    /// Texts of special tokens under the names that chat templates use.
    public var specialTokens: [String: String] {
        let ids = [
            "bos_token": bosID, "eos_token": eosID, "unk_token": unknownID, "sep_token": separatorID,
            "pad_token": paddingID, "cls_token": classID, "mask_token": maskID,
        ]
        return ids.compactMapValues { id in id.map { tokens[$0] } }
    }

    /// All tokens that end an answer: those that the file names, and the control tokens of that meaning, which many files
    /// leave out.
    public var endIDs: [Int] {
        let named = [eosID, eotID, eomID].compactMap { $0 }
        let known = tokenTypes.indices.filter { tokenTypes[$0] == 3 && Self.endTexts.contains(tokens[$0]) }
        return (named + known).uniqued()
    }

    private static let endTexts: Set<String> = [
        "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|endoftext|>", "<|im_end|>", "<|end|>", "<end_of_turn>",
        "<EOT>", "<|end_of_turn|>",
    ]
}

extension GGUFTokenizerMetadata {
    /// What is missing in `file` that texts are cut by, and what is taken instead.
    func warnings(file: String) -> [String] {
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
