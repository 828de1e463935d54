import FoundationEssentials
import JSON

extension TokenizerPipeline {
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

/// Reads tokenizers from `tokenizer.json`, the format of Hugging Face's `tokenizers`.
struct TokenizerFile {
    private let root: JSONNode

    init(_ root: JSONNode) { self.root = root }

    /// The tokenizer's parts, with the additional tokens `named`. An error names the first key with an unsupported
    /// value.
    func parts(adding named: [NamedToken]) throws(TokenizationError) -> TokenizerParts {
        let reader = TokenModelReader(root["model"])
        try reader.checkType()
        var patterns = PatternReader()
        let decoder = try DecoderReader.read(root["decoder"], patterns: &patterns)
        var builder = VocabularyBuilder(file: root.file, decoder: decoder)
        try reader.addVocabulary(to: &builder)
        let (steps, isByteLevel) = try PreTokenizerReader.read(root["pre_tokenizer"], patterns: &patterns)
        let normalizer = try NormalizerReader.read(root["normalizer"], patterns: &patterns)
        let model = try reader.model(&builder, isByteLevel: isByteLevel)
        let modelSize = builder.tokenCount
        var added = AddedTokens(try addedTokens())
        let workspace = TokenizerWorkspace()
        func add(_ token: AddedToken, key: String) throws(TokenizationError) {
            // As in `tokenizers`, a token that is found in normalized text is decoded to normalized text.
            let text =
                token.isNormalized ? normalizer.normalize(Array(token.content.utf8)[...], workspace)?.text : nil
            try builder.add(
                token.content, id: Int(token.id), isSpecial: token.isSpecial, decodesAs: text, key: key)
        }
        for token in added.tokens { try add(token, key: "added_tokens") }
        for token in named {
            guard let token = added.add(token, id: builder.id(of: token.content), modelSize: modelSize) else {
                continue
            }
            try add(token, key: "added_tokens_decoder")
        }
        let (prefix, suffix) = try PostProcessorReader(builder: builder).affixes(root["post_processor"])
        return TokenizerParts(
            table: builder.table, model: model, steps: steps, normalizer: normalizer, addedTokens: added.tokens,
            prefix: prefix, suffix: suffix, decoding: builder.decoding)
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
}
