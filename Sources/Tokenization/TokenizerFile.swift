import FoundationEssentials
import JSON

extension ByteLevelBPETokenizer {
    /// The tokenizer of a `tokenizer.json` file, with additional tokens from other files of the model.
    ///
    /// - Throws: `TokenizationError`: the file cannot be read, is not JSON, or needs an unsupported feature.
    public init(tokenizerJSONPath path: String, adding tokens: [NamedToken] = []) throws(TokenizationError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw .unreadable(file: path, reason: "there is no such file, or it cannot be read")
        }
        try self.init(tokenizerJSON: data, adding: tokens, file: path)
    }

    /// The tokenizer of the contents of a `tokenizer.json` file, with additional tokens from other files of the model.
    /// `file` is the file's name in errors.
    ///
    /// - Throws: `TokenizationError`: not JSON, or it needs an unsupported feature.
    public init(
        tokenizerJSON json: some Sequence<UInt8>, adding tokens: [NamedToken] = [], file: String = "tokenizer.json"
    ) throws(TokenizationError) {
        let root: JSONValue
        do throws(JSONError) {
            root = try JSONParser.parse(Array(json))
        } catch {
            throw .malformedJSON(file: file, reason: "byte \(error.byteOffset): \(error.problem)")
        }
        self.init(try TokenizerFile(JSONNode(root, file: file)).parts(adding: tokens))
    }
}

/// Reads byte-level BPE tokenizers from `tokenizer.json`, the format of Hugging Face's `tokenizers`.
struct TokenizerFile {
    private let root: JSONNode

    init(_ root: JSONNode) { self.root = root }

    /// The tokenizer's parts, with the additional tokens `named`. An error names the first key with an unsupported
    /// value.
    func parts(adding named: [NamedToken]) throws(TokenizationError) -> TokenizerParts {
        let model = root["model"]
        // Files from before version 0.9 have no type; those with merges are BPE.
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

    /// Tokens are written in the byte-level alphabet, so only the ByteLevel decoder restores text.
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

/// Reads the `pre_tokenizer` of `tokenizer.json`.
struct PreTokenizerReader {
    private var isByteLevel = false

    /// The steps of the pre-tokenizer `node`.
    func steps(_ node: JSONNode) throws(TokenizationError) -> [PreTokenizer.Step] {
        var reader = self
        let steps = try reader.read(node)
        guard reader.isByteLevel else { throw node.error(expected: "a ByteLevel pre-tokenizer at the end") }
        // The recursion of `PreTokenizer` is as deep as the number of steps.
        guard steps.count <= 16 else { throw node.error(expected: "at most 16 cuts") }
        return steps
    }

    private mutating func read(_ node: JSONNode) throws(TokenizationError) -> [PreTokenizer.Step] {
        // After ByteLevel, words are in its alphabet, so rules on characters have another meaning.
        if isByteLevel { throw node.error(expected: "nothing after the ByteLevel pre-tokenizer") }
        let type = node["type"]
        switch try type.string() {
        case "Sequence":
            var steps: [PreTokenizer.Step] = []
            for element in try node["pretokenizers"].elements() { steps += try read(element) }
            return steps
        case "Digits": return [.numbers(individually: try node.bool("individual_digits") ?? false)]
        case "Split": return [.pattern(try pattern(node))]
        case "ByteLevel":
            isByteLevel = true
            let leadingSpace: [PreTokenizer.Step] =
                try node.bool("add_prefix_space") ?? true ? [.leadingSpace] : []
            return leadingSpace + (try node.bool("use_regex") ?? true ? [.pattern(.gpt2)] : [])
        default: throw type.error(expected: "\"ByteLevel\", \"Digits\", \"Split\" or \"Sequence\"")
        }
    }

    private func pattern(_ node: JSONNode) throws(TokenizationError) -> SplitPattern {
        let regex = node["pattern"]["Regex"]
        guard let pattern = SplitPattern(regex: try regex.string()) else {
            throw regex.error(expected: "the pattern of GPT-2, Llama 3 or Qwen2")
        }
        // The known patterns match every character, so keeping matches and splitting at them are the same.
        let behavior = try node["behavior"].string()
        switch (behavior, try node.bool("invert") ?? false) {
        case ("Isolated", false), ("Removed", true): return pattern
        default:
            throw node["behavior"].error(expected: "\"Isolated\", or \"Removed\" with \"invert\": true")
        }
    }
}

/// Reads the `post_processor` of `tokenizer.json`: the tokens before and after a text.
struct PostProcessorReader {
    let builder: VocabularyBuilder

    /// The tokens before and after a single text.
    func affixes(_ node: JSONNode) throws(TokenizationError) -> (prefix: [TokenID], suffix: [TokenID]) {
        if node.isNull { return ([], []) }
        switch try node["type"].string() {
        case "ByteLevel": return ([], [])  // It changes only offsets.
        case "TemplateProcessing": return try template(node)
        case "Sequence":
            var (prefix, suffix): ([TokenID], [TokenID]) = ([], [])
            for element in try node["processors"].elements() {
                let inner = try affixes(element)
                prefix = inner.prefix + prefix
                suffix += inner.suffix
            }
            return (prefix, suffix)
        default: throw node["type"].error(expected: "\"ByteLevel\", \"TemplateProcessing\" or \"Sequence\"")
        }
    }

    private func template(_ node: JSONNode) throws(TokenizationError) -> (prefix: [TokenID], suffix: [TokenID]) {
        var (prefix, suffix): ([TokenID], [TokenID]) = ([], [])
        var isBeforeText = true
        for piece in try node["single"].elements() {
            if !piece["Sequence"].isNull {
                guard isBeforeText, try piece["Sequence"]["id"].string() == "A" else {
                    throw piece["Sequence"].error(expected: "the text \"A\", once")
                }
                isBeforeText = false
                continue
            }
            let name = piece["SpecialToken"]["id"]
            let ids = try ids(node["special_tokens"][try name.string()]["ids"])
            if isBeforeText { prefix += ids } else { suffix += ids }
        }
        if isBeforeText { throw node["single"].error(expected: "a template with the text \"A\"") }
        return (prefix, suffix)
    }

    private func ids(_ node: JSONNode) throws(TokenizationError) -> [TokenID] {
        var ids: [TokenID] = []
        for element in try node.elements() {
            guard let id = TokenID(exactly: try element.integer()), builder.table.bytes(of: id) != nil else {
                throw element.error(expected: "a token of the vocabulary")
            }
            ids.append(id)
        }
        return ids
    }
}
