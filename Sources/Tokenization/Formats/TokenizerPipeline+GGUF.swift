extension TokenizerPipeline {
    /// The tokenizer of a GGUF vocabulary.
    ///
    /// - Throws: `TokenizationError.unsupported`: another model than `gpt2`, `llama`, `gemma4` and `t5`, an unknown `pre`,
    ///   or inconsistent parts. `file` is the file's name in it.
    public init(vocabulary: GGUFVocabulary, file: String = "GGUF") throws(TokenizationError) {
        let reader = try GGUFTokenizerReader(vocabulary, file: file)
        switch vocabulary.model {
        case "gpt2": self.init(try reader.byteLevel())
        case "llama": self.init(try reader.sentencePiece())
        case "gemma4": self.init(try reader.mergedSentencePiece())
        case "t5": self.init(try reader.unigram())
        default:
            throw .unsupported(
                file: file, key: "tokenizer.ggml.model", expected: "\"gpt2\", \"llama\", \"gemma4\" or \"t5\"",
                found: "\"\(vocabulary.model)\"")
        }
    }
}

/// Makes the parts of a tokenizer from a GGUF vocabulary, with the rules of llama.cpp.
struct GGUFTokenizerReader {
    private let vocabulary: GGUFVocabulary
    private let file: String

    /// SentencePiece's character for a space.
    private static let space = Array("▁".utf8)
    /// Types of tokens.
    private enum TokenType {
        static let unknown: Int32 = 2
        static let control: Int32 = 3
        static let userDefined: Int32 = 4
        static let byte: Int32 = 6
    }

    init(_ vocabulary: GGUFVocabulary, file: String) throws(TokenizationError) {
        self.vocabulary = vocabulary
        self.file = file
        for (key, count) in [("token_type", vocabulary.tokenTypes.count), ("scores", vocabulary.scores.count)]
        where count > 0 && count != vocabulary.tokens.count {
            throw .unsupported(
                file: file, key: "tokenizer.ggml.\(key)", expected: "\(vocabulary.tokens.count) elements",
                found: "\(count)")
        }
    }

    private func type(_ id: Int) -> Int32 { vocabulary.tokenTypes.isEmpty ? 1 : vocabulary.tokenTypes[id] }

    private func isSpecial(_ id: Int) -> Bool { type(id) == TokenType.unknown || type(id) == TokenType.control }

    /// GPT-2's kind: byte-level BPE with one of llama.cpp's pre-tokenizers.
    func byteLevel() throws(TokenizationError) -> TokenizerParts {
        let pre = vocabulary.pre ?? "default"
        guard let rules = GGUFPreTokenizer.named[pre] else {
            let known = GGUFPreTokenizer.named.keys.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
            throw .unsupported(file: file, key: "tokenizer.ggml.pre", expected: "one of \(known)", found: "\"\(pre)\"")
        }
        var builder = VocabularyBuilder(file: file, decoder: TokenDecoder(steps: [.byteLevel]))
        let added = try addTokens(to: &builder)
        var patterns = PatternReader()
        var steps: [PreTokenizer.Step] = []
        for expression in rules.expressions {
            if let known = SplitPattern(regex: expression) {
                steps.append(.pattern(known))
            } else {
                let pattern = try patterns.expression(expression, file: file, key: "tokenizer.ggml.pre")
                steps.append(.split(pattern, .isolated, isInverted: false))
            }
        }
        let encoder = BytePairEncoder(
            symbols: builder.byteSymbols(unknownToken: nil, fusesUnknown: false), merges: try merges(&builder),
            wholeWords: rules.ignoresMerges ? builder.wholeWords(isByteLevel: true) : nil, separator: nil)
        return try parts(
            builder, .bytePairs(encoder), steps, TextNormalizer(steps: rules.composes ? [.form(.nfc)] : []), added,
            addsBOS: rules.addsBOS)
    }

    /// Llama 2's kind: any two tokens merge to a third one, the one with the highest score first.
    func sentencePiece() throws(TokenizationError) -> TokenizerParts {
        guard !vocabulary.scores.isEmpty else {
            throw .unsupported(
                file: file, key: "tokenizer.ggml.scores", expected: "the scores of the tokens", found: "nothing")
        }
        let addsSpace = vocabulary.addSpacePrefix ?? true
        var builder = VocabularyBuilder(file: file, decoder: Self.spaceDecoder(stripsStart: addsSpace))
        let added = try addTokens(to: &builder)
        // The text of a special token must not become that token by merging.
        let results = vocabulary.tokens.indices.filter { !isSpecial($0) && type($0) != TokenType.byte }
        let merges = builder.merges(
            scores: results.map { (vocabulary.tokens[$0], TokenID($0), vocabulary.scores[$0]) })
        let encoder = BytePairEncoder(
            symbols: builder.scalarSymbols(
                unknownToken: vocabulary.unknownID ?? (vocabulary.tokens.isEmpty ? nil : 0), fusesUnknown: true,
                fallsBackToBytes: true),
            merges: merges, wholeWords: nil, separator: builder.separator)
        var parts = try parts(builder, .bytePairs(encoder), [], .identity, added, addsBOS: true, firstID: 1)
        parts.spacing = PreTokenizer.Metaspace(
            replacement: Self.space, scheme: addsSpace ? .always : .never, splits: false)
        return parts
    }

    /// Gemma 4's kind: merges as in GPT-2, of characters with SentencePiece's spaces.
    func mergedSentencePiece() throws(TokenizationError) -> TokenizerParts {
        let addsSpace = vocabulary.addSpacePrefix ?? false
        var builder = VocabularyBuilder(file: file, decoder: Self.spaceDecoder(stripsStart: addsSpace))
        let added = try addTokens(to: &builder)
        let merges = try merges(&builder)
        // Merges of line feeds are not in the files: runs of these are tokens as a whole.
        var lineFeeds = ByteStringIndex()
        for (id, token) in vocabulary.tokens.enumerated() where token.utf8.allSatisfy({ $0 == UInt8(ascii: "\n") }) {
            if !token.isEmpty { lineFeeds.set(token, id: TokenID(id)) }
        }
        var patterns = PatternReader()
        let lines = try patterns.expression(#"[^\n]+|\n+"#, file: file, key: "tokenizer.ggml.model")
        let encoder = BytePairEncoder(
            symbols: builder.scalarSymbols(
                unknownToken: vocabulary.unknownID, fusesUnknown: true, fallsBackToBytes: true),
            merges: merges, wholeWords: lineFeeds, separator: builder.separator)
        var parts = try parts(
            builder, .bytePairs(encoder), [.split(lines, .isolated, isInverted: false)], .identity, added, addsBOS: true
        )
        parts.spacing = PreTokenizer.Metaspace(
            replacement: Self.space, scheme: addsSpace ? .always : .never, splits: false)
        return parts
    }

    /// T5's kind: the tokens with the highest sum of scores.
    func unigram() throws(TokenizationError) -> TokenizerParts {
        guard !vocabulary.scores.isEmpty else {
            throw .unsupported(
                file: file, key: "tokenizer.ggml.scores", expected: "the scores of the tokens", found: "nothing")
        }
        let addsSpace = vocabulary.addSpacePrefix ?? true
        let metaspace = PreTokenizer.Metaspace(
            replacement: Self.space, scheme: addsSpace ? .always : .never, splits: true)
        var decoder = TokenDecoder(steps: [.metaspace(Self.space, dropsFirst: addsSpace)])
        decoder.steps.append(.byteFallback)
        var builder = VocabularyBuilder(file: file, decoder: decoder)
        let added = try addTokens(to: &builder)
        var normalizer = TextNormalizer.identity
        if !vocabulary.precompiledCharsMap.isEmpty {
            guard let map = PrecompiledCharsMap(vocabulary.precompiledCharsMap) else {
                throw .unsupported(
                    file: file, key: "tokenizer.ggml.precompiled_charsmap", expected: "a table of SentencePiece",
                    found: "\(vocabulary.precompiledCharsMap.count) other bytes")
            }
            normalizer = TextNormalizer(steps: [.charsMap(map)])
        }
        let normal = vocabulary.tokens.indices.filter { !isSpecial($0) && type($0) != TokenType.byte }
        let tokens = normal.map { id in
            // Tokens of users are taken wherever they fit.
            let score = type(id) == TokenType.userDefined ? 0 : Double(vocabulary.scores[id])
            return (bytes: Array(vocabulary.tokens[id].utf8), id: TokenID(id), score: score)
        }
        let minimum = normal.filter { type($0) == 1 }.map { vocabulary.scores[$0] }.min() ?? 0
        let encoder = UnigramEncoder(
            tokens, minimumScore: Double(minimum), unknownToken: vocabulary.unknownID ?? 2,
            fallbackTokens: builder.byteTokens)
        let spaces: [PreTokenizer.Step] =
            vocabulary.removeExtraWhitespaces ?? false ? [.scalars(.one(0x20), .removed)] : []
        return try parts(
            builder, .unigram(encoder), spaces + [.metaspace(metaspace)], normalizer, added, addsBOS: false, lastID: 1,
            addsEOS: true)
    }

    /// Adds all tokens; returns those that are matched in the text.
    private func addTokens(to builder: inout VocabularyBuilder) throws(TokenizationError) -> [AddedToken] {
        var added: [AddedToken] = []
        for (id, token) in vocabulary.tokens.enumerated() {
            try builder.add(token, id: id, isSpecial: isSpecial(id), key: "tokenizer.ggml.tokens[\(id)]")
            if isSpecial(id) || type(id) == TokenType.userDefined {
                added.append(AddedToken(id: TokenID(id), content: token, isSpecial: isSpecial(id)))
            }
        }
        return added
    }

    private func merges(_ builder: inout VocabularyBuilder) throws(TokenizationError) -> MergeTable {
        var merges: [(left: String, right: String)] = []
        merges.reserveCapacity(vocabulary.merges.count)
        for (rank, merge) in vocabulary.merges.enumerated() {
            guard let pair = MergeSpelling.pair(merge) else {
                throw .unsupported(
                    file: file, key: "tokenizer.ggml.merges[\(rank)]", expected: "two tokens apart by a space",
                    found: "\"\(merge)\"")
            }
            merges.append(pair)
        }
        // Converters keep merges whose tokens they removed, and llama.cpp reads such files.
        return try builder.merges(merges, key: "tokenizer.ggml.merges", skipsUnknown: true)
    }

    /// `stripsStart`: whether the space before a text is removed again.
    private static func spaceDecoder(stripsStart: Bool) -> TokenDecoder {
        var decoder = TokenDecoder(steps: [.replace(.text(space), with: [UInt8(ascii: " ")]), .byteFallback])
        if stripsStart { decoder.decoding.strippedStart = .init(content: [UInt8(ascii: " ")], count: 1) }
        return decoder
    }

    /// `firstID` and `lastID`: the tokens that begin and end a text, where the file does not name them.
    private func parts(
        _ builder: VocabularyBuilder, _ model: TokenModel, _ steps: [PreTokenizer.Step], _ normalizer: TextNormalizer,
        _ added: [AddedToken], addsBOS: Bool, firstID: TokenID? = nil, lastID: TokenID? = nil, addsEOS: Bool = false
    ) throws(TokenizationError) -> TokenizerParts {
        func inVocabulary(_ id: TokenID?, _ key: String) throws(TokenizationError) -> [TokenID] {
            guard let id else { return [] }
            if id >= 0, Int(id) < vocabulary.tokens.count { return [id] }
            throw .unsupported(
                file: file, key: "tokenizer.ggml.\(key)", expected: "an id below \(vocabulary.tokens.count)",
                found: "\(id)")
        }
        return TokenizerParts(
            table: builder.table, model: model, steps: steps, normalizer: normalizer, addedTokens: added,
            prefix: vocabulary.addBOS ?? addsBOS ? try inVocabulary(vocabulary.bosID ?? firstID, "bos_token_id") : [],
            suffix: vocabulary.addEOS ?? addsEOS ? try inVocabulary(vocabulary.eosID ?? lastID, "eos_token_id") : [],
            decoding: builder.decoding)
    }
}
