import JSON

/// Reads `tokenizer.json`, the format of Hugging Face's `tokenizers`, where it describes byte-level BPE.
struct TokenizerFile {
    private let root: JSONNode

    /// The file whose outermost object is `root`.
    init(_ root: JSONNode) { self.root = root }

    /// The tokenizer's parts, with tokens that other files name; an error names the first key that asks for what is not
    /// supported.
    func parts(adding named: [NamedToken]) throws(TokenizationError) -> TokenizerParts {
        let model = root["model"]
        // Files of before 0.9 have no type; those with merges are BPE.
        if !(model["type"].isNull && !model["merges"].isNull) {
            guard try model["type"].string() == "BPE" else { throw model["type"].error(expected: "\"BPE\"") }
        }
        try model["dropout"].requireAbsent(or: .number(0), .integer(0))
        try model["continuing_subword_prefix"].requireAbsent(or: .string(""))
        try model["end_of_word_suffix"].requireAbsent(or: .string(""))
        try model["byte_fallback"].requireAbsent(or: .bool(false))
        try requireByteLevelDecoder()

        var builder = VocabularyBuilder(file: root.file)
        for member in try model["vocab"].object().members {
            let key = "model.vocab[\"\(member.key)\"]"
            let id = try JSONNode(member.value, file: root.file, path: key).integer()
            try builder.add(member.key, id: id, isSpecial: false, key: key)
        }
        let encoder = try builder.encoder(
            merges: try merges(model["merges"]), mergesKey: "model.merges",
            unknownToken: try unknownToken(model["unk_token"], builder),
            fusesUnknown: try model.bool("fuse_unk") ?? false,
            ignoresMergesForWholeWords: try model.bool("ignore_merges") ?? false)
        let modelSize = builder.tokenCount
        var added = AddedTokens(try addedTokens())
        for token in added.tokens {
            try builder.add(token.content, id: Int(token.id), isSpecial: token.isSpecial, key: "added_tokens")
        }
        for token in named {
            guard let token = added.add(token, id: builder.id(of: token.content), modelSize: modelSize) else {
                continue
            }
            try builder.add(token.content, id: Int(token.id), isSpecial: token.isSpecial, key: "added_tokens_decoder")
        }
        let (prefix, suffix) = try PostProcessorReader(builder: builder).affixes(root["post_processor"])
        return TokenizerParts(
            table: builder.table, encoder: encoder, steps: try PreTokenizerReader().steps(root["pre_tokenizer"]),
            normalizer: try normalizer(root["normalizer"]), addedTokens: added.tokens, prefix: prefix, suffix: suffix)
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

    private func unknownToken(_ node: JSONNode, _ builder: VocabularyBuilder) throws(TokenizationError) -> TokenID? {
        if node.isNull { return nil }
        guard let id = builder.id(of: try node.string()) else {
            throw node.error(expected: "null or a token of the vocabulary")
        }
        return id
    }

    private func addedTokens() throws(TokenizationError) -> [AddedToken] {
        let node = root["added_tokens"]
        if node.isNull { return [] }
        var tokens: [AddedToken] = []
        for element in try node.elements() {
            let id = try element["id"].integer()
            guard let tokenID = TokenID(exactly: id), tokenID >= 0 else {
                throw element["id"].error(expected: "a token id")
            }
            tokens.append(
                AddedToken(
                    id: tokenID, content: try element["content"].string(),
                    isSpecial: try element.bool("special") ?? false,
                    stripsLeft: try element.bool("lstrip") ?? false,
                    stripsRight: try element.bool("rstrip") ?? false,
                    isSingleWord: try element.bool("single_word") ?? false,
                    isNormalized: try element.bool("normalized") ?? false))
        }
        return tokens
    }

    private func normalizer(_ node: JSONNode) throws(TokenizationError) -> TextNormalizer {
        if node.isNull { return .identity }
        switch try node["type"].string() {
        case "NFC": return .composed
        case "Sequence":
            var normalizer = TextNormalizer.identity
            for element in try node["normalizers"].elements() where try self.normalizer(element) == .composed {
                normalizer = .composed
            }
            return normalizer
        default: throw node["type"].error(expected: "null, \"NFC\" or \"Sequence\"")
        }
    }

    /// Tokens are written in the byte-level alphabet, so nothing but its decoder gives back text.
    private func requireByteLevelDecoder() throws(TokenizationError) {
        func require(_ node: JSONNode) throws(TokenizationError) {
            switch try node["type"].string() {
            case "ByteLevel": return
            case "Sequence":
                let elements = try node["decoders"].elements()
                guard elements.count == 1 else { throw node["decoders"].error(expected: "one ByteLevel decoder") }
                try require(elements[0])
            default: throw node["type"].error(expected: "\"ByteLevel\"")
            }
        }
        try require(root["decoder"])
    }
}

/// A value of a `tokenizer.json` file.
typealias JSONNode = JSONReader<TokenizationError>

extension JSONReader where Failure == TokenizationError {
    /// An integer; unlike elsewhere, `2.0` is none, as in `tokenizers`.
    func integer() throws(TokenizationError) -> Int {
        guard case .integer(let integer) = value else { throw error(expected: "an integer") }
        return integer
    }

    /// Throws unless the value is missing, null or one of `allowed`.
    func requireAbsent(or allowed: JSONValue...) throws(TokenizationError) {
        if isNull { return }
        if let value, allowed.contains(value) { return }
        throw error(expected: "null")
    }
}
