public import Tokenization

extension GGUFVocabulary {
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
        func id(_ key: String) throws(WeightLoadingError) -> TokenID? {
            guard let id = try metadata.integer(prefix + key) else { return nil }
            // Some writers store -1, in 32 bits, for "none".
            guard id != -1, id != Int(UInt32.max) else { return nil }
            guard tokens.indices.contains(id), let token = TokenID(exactly: id) else {
                throw .illTypedKey(
                    file: file, key: prefix + key, expected: "an id below \(tokens.count)", found: "\(id)")
            }
            return token
        }
        func requireCount(_ count: Int, _ key: String) throws(WeightLoadingError) {
            guard count == 0 || count == tokens.count else {
                throw .illTypedKey(
                    file: file, key: prefix + key, expected: "\(tokens.count) elements, one a token", found: "\(count)")
            }
        }
        let pre = try metadata.string(prefix + "pre")
        let tokenTypes = try metadata.integers(prefix + "token_type") ?? []
        try requireCount(tokenTypes.count, "token_type")
        let merges = try metadata.strings(prefix + "merges")
        guard merges != nil || (model != "gpt2" && model != "gemma4") else {
            // Without merges, every token would be a single byte or character.
            throw .missingKey(file: file, key: prefix + "merges", expected: "the merges of a BPE")
        }
        self.init(
            model: model, pre: pre, tokens: tokens, tokenTypes: tokenTypes.map { Int32(clamping: $0) },
            merges: merges ?? [])
        scores = try metadata.numbers(prefix + "scores") ?? []
        try requireCount(scores.count, "scores")
        bosID = try id("bos_token_id")
        eosID = try id("eos_token_id")
        eotID = try id("eot_token_id")
        eomID = try id("eom_token_id")
        unknownID = try id("unknown_token_id")
        paddingID = try id("padding_token_id")
        // GGUF's own spelling; some writers correct it.
        let separator = try id("seperator_token_id")
        separatorID = if let separator { separator } else { try id("separator_token_id") }
        classID = try id("cls_token_id")
        maskID = try id("mask_token_id")
        addBOS = try metadata.bool(prefix + "add_bos_token")
        addEOS = try metadata.bool(prefix + "add_eos_token")
        addSpacePrefix = try metadata.bool(prefix + "add_space_prefix")
        removeExtraWhitespaces = try metadata.bool(prefix + "remove_extra_whitespaces")
        // Files store the table as signed or unsigned bytes.
        precompiledCharsMap =
            try metadata.integers(prefix + "precompiled_charsmap")?
            .map { UInt8(truncatingIfNeeded: $0) } ?? []
    }
}
