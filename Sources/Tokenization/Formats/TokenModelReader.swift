import JSON

/// Reads the `model` of `tokenizer.json`: BPE or Unigram.
struct TokenModelReader {
    private let node: JSONNode
    private let isUnigram: Bool

    init(_ node: JSONNode) {
        self.node = node
        isUnigram = node["type"].value == .string("Unigram")
    }

    /// Throws unless the model is one that is supported.
    func checkType() throws(TokenizationError) {
        let type = node["type"]
        // Files from before version 0.9 have no type; those with merges are BPE.
        if isUnigram || type.isNull && !node["merges"].isNull { return }
        guard try type.string() == "BPE" else { throw type.error(expected: "\"BPE\" or \"Unigram\"") }
    }

    /// Adds the tokens of the model.
    func addVocabulary(to builder: inout VocabularyBuilder) throws(TokenizationError) {
        if isUnigram {
            for (id, entry) in try unigramEntries().enumerated() {
                try builder.add(entry.token, id: id, isSpecial: false, key: "model.vocab[\(id)]")
            }
        } else {
            for member in try node["vocab"].object().members {
                guard case .integer(let id) = member.value else {
                    throw JSONNode(member.value, file: node.file, path: "model.vocab[\"\(member.key)\"]")
                        .error(expected: "an integer")
                }
                try builder.add(member.key, id: id, isSpecial: false, key: "model.vocab[\"\(member.key)\"]")
            }
        }
    }

    /// The model with the vocabulary of `builder`. `isByteLevel`: whether words are bytes, which the vocabulary writes in
    /// the byte-level alphabet.
    func model(_ builder: inout VocabularyBuilder, isByteLevel: Bool) throws(TokenizationError) -> TokenModel {
        try isUnigram ? unigram(builder, isByteLevel: isByteLevel) : bytePairs(&builder, isByteLevel: isByteLevel)
    }

    private func bytePairs(
        _ builder: inout VocabularyBuilder, isByteLevel: Bool
    ) throws(TokenizationError) -> TokenModel {
        try node["dropout"].requireAbsent(or: .number(0), .integer(0))
        try node["continuing_subword_prefix"].requireAbsent(or: .string(""))
        try node["end_of_word_suffix"].requireAbsent(or: .string(""))
        let unknownToken = try unknownToken(builder)
        let fusesUnknown = try node.bool("fuse_unk") ?? false
        let fallsBackToBytes = try node.bool("byte_fallback") ?? false
        let merges = try builder.merges(try merges(node["merges"]), key: "model.merges")
        let ignoresMerges = try node.bool("ignore_merges") ?? false
        return .bytePairs(
            BytePairEncoder(
                symbols: isByteLevel
                    ? builder.byteSymbols(unknownToken: unknownToken, fusesUnknown: fusesUnknown)
                    : builder.scalarSymbols(
                        unknownToken: unknownToken, fusesUnknown: fusesUnknown, fallsBackToBytes: fallsBackToBytes),
                merges: merges, wholeWords: ignoresMerges ? builder.wholeWords(isByteLevel: isByteLevel) : nil,
                separator: isByteLevel || ignoresMerges ? nil : builder.separator))
    }

    private func merges(_ node: JSONNode) throws(TokenizationError) -> [(left: String, right: String)] {
        guard case .array(let elements) = node.value else { throw node.error(expected: "an array") }
        var merges: [(left: String, right: String)] = []
        merges.reserveCapacity(elements.count)
        for (rank, element) in elements.enumerated() {
            if case .string(let merge) = element, let pair = MergeSpelling.pair(merge) {
                merges.append(pair)
            } else if case .array(let pair) = element, pair.count == 2, case .string(let left) = pair[0],
                case .string(let right) = pair[1]
            {
                merges.append((left, right))
            } else {
                throw JSONNode(element, file: node.file, path: "\(node.path)[\(rank)]")
                    .error(expected: "\"a b\" or [\"a\", \"b\"]")
            }
        }
        return merges
    }

    private func unknownToken(_ builder: VocabularyBuilder) throws(TokenizationError) -> TokenID? {
        let unknown = node["unk_token"]
        if unknown.isNull { return nil }
        guard let id = builder.id(of: try unknown.string()) else {
            throw unknown.error(expected: "null or a token of the vocabulary")
        }
        return id
    }

    private func unigramEntries() throws(TokenizationError) -> [(token: String, score: Double)] {
        let vocabulary = node["vocab"]
        guard case .array(let elements) = vocabulary.value else { throw vocabulary.error(expected: "an array") }
        var entries: [(token: String, score: Double)] = []
        entries.reserveCapacity(elements.count)
        for (id, element) in elements.enumerated() {
            guard case .array(let pair) = element, pair.count == 2, case .string(let token) = pair[0],
                let score = pair[1].double, score.isFinite
            else {
                throw JSONNode(element, file: vocabulary.file, path: "\(vocabulary.path)[\(id)]")
                    .error(expected: "a token and its score")
            }
            entries.append((token, score))
        }
        return entries
    }

    private func unigram(_ builder: VocabularyBuilder, isByteLevel: Bool) throws(TokenizationError) -> TokenModel {
        var unknownToken: TokenID?
        let entries = try unigramEntries()
        if !node["unk_id"].isNull {
            let id = try node["unk_id"].integer()
            guard entries.indices.contains(id) else { throw node["unk_id"].error(expected: "a token's index") }
            unknownToken = TokenID(id)
        }
        let fallsBackToBytes = try node.bool("byte_fallback") ?? false
        let tokens = entries.enumerated().compactMap { id, entry -> (bytes: [UInt8], id: TokenID, score: Double)? in
            var bytes: [UInt8]? = Array(entry.token.utf8)
            if isByteLevel { bytes = bytes?.withUnsafeBufferPointer { ByteLevelAlphabet.shared.bytes(of: $0) } }
            return bytes.map { ($0, TokenID(id), entry.score) }
        }
        return .unigram(
            UnigramEncoder(
                tokens, minimumScore: entries.map(\.score).min() ?? 0, unknownToken: unknownToken,
                fallbackTokens: fallsBackToBytes ? builder.byteTokens : []))
    }
}
