extension ByteLevelBPETokenizer {
    /// The tokenizer of a GGUF vocabulary.
    ///
    /// - Throws: `TokenizationError.unsupported`: another model than `gpt2`, an unknown `pre`, or inconsistent
    ///   parts. `file` is the file's name in it.
    public init(vocabulary: GGUFVocabulary, file: String = "GGUF") throws(TokenizationError) {
        guard vocabulary.model == "gpt2" else {
            throw .unsupported(
                file: file, key: "tokenizer.ggml.model", expected: "\"gpt2\"", found: "\"\(vocabulary.model)\"")
        }
        let rules = try Self.rules(vocabulary.pre ?? "default", file: file)
        let types = vocabulary.tokenTypes
        guard types.isEmpty || types.count == vocabulary.tokens.count else {
            throw .unsupported(
                file: file, key: "tokenizer.ggml.token_type", expected: "\(vocabulary.tokens.count) elements",
                found: "\(types.count)")
        }
        var builder = VocabularyBuilder(file: file)
        var added: [AddedToken] = []
        for (id, token) in vocabulary.tokens.enumerated() {
            let type = types.isEmpty ? 1 : types[id]
            let isSpecial = type == 2 || type == 3
            try builder.add(token, id: id, isSpecial: isSpecial, key: "tokenizer.ggml.tokens[\(id)]")
            if isSpecial || type == 4 {
                added.append(AddedToken(id: TokenID(id), content: token, isSpecial: isSpecial))
            }
        }
        var merges: [(left: String, right: String)] = []
        for (rank, merge) in vocabulary.merges.enumerated() {
            guard let pair = MergeSpelling.pair(merge) else {
                throw .unsupported(
                    file: file, key: "tokenizer.ggml.merges[\(rank)]", expected: "two tokens apart by a space",
                    found: "\"\(merge)\"")
            }
            merges.append(pair)
        }
        func inVocabulary(_ id: TokenID?, _ key: String) throws(TokenizationError) -> [TokenID] {
            guard let id else { return [] }
            if id >= 0, Int(id) < vocabulary.tokens.count { return [id] }
            throw .unsupported(
                file: file, key: "tokenizer.ggml.\(key)", expected: "an id below \(vocabulary.tokens.count)",
                found: "\(id)")
        }
        let encoder = try builder.encoder(
            merges: merges, mergesKey: "tokenizer.ggml.merges", unknownToken: nil, fusesUnknown: false,
            ignoresMergesForWholeWords: rules.ignoresMerges)
        self.init(
            TokenizerParts(
                table: builder.table, encoder: encoder, steps: rules.steps, normalizer: rules.normalizer,
                addedTokens: added,
                prefix: vocabulary.addBOS ?? rules.addsBOS ? try inVocabulary(vocabulary.bosID, "bos_token_id") : [],
                suffix: vocabulary.addEOS ?? false ? try inVocabulary(vocabulary.eosID, "eos_token_id") : []))
    }

    private struct Rules {
        var steps: [PreTokenizer.Step]
        var normalizer = TextNormalizer.identity
        var ignoresMerges = false
        /// The default of `addBOS`.
        var addsBOS = false
    }

    /// The rules of llama.cpp's pre-tokenizers, as in the `tokenizer.json` files of the models.
    private static func rules(_ pre: String, file: String) throws(TokenizationError) -> Rules {
        switch pre {
        case "smollm": return Rules(steps: [.numbers(individually: true), .pattern(.gpt2)])
        // Old converters wrote `default`; transformers applies GPT-2's rules to those files.
        case "gpt-2", "default": return Rules(steps: [.pattern(.gpt2)])
        case "llama-bpe", "llama3", "llama-v3":
            return Rules(steps: [.pattern(.llama3)], ignoresMerges: true, addsBOS: true)
        case "qwen2", "deepseek-r1-qwen": return Rules(steps: [.pattern(.qwen2)], normalizer: .composed)
        default:
            throw .unsupported(
                file: file, key: "tokenizer.ggml.pre",
                expected: "one of \"smollm\", \"llama-bpe\", \"qwen2\", \"gpt-2\", \"default\"", found: "\"\(pre)\"")
        }
    }
}

/// A merge that is written as one string.
enum MergeSpelling {
    /// The two tokens of `merge`; `nil`: it is not two tokens separated by one space.
    static func pair(_ merge: String) -> (left: String, right: String)? {
        let parts = merge.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        return (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self))
    }
}
