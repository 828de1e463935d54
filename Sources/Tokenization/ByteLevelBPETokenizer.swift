/// Byte-level byte-pair encoding, as in GPT-2, SmolLM2, Llama 3 and Qwen2. The tokens are those of Hugging Face's
/// `tokenizers` with the same vocabulary.
public struct ByteLevelBPETokenizer: Tokenizer {
    private let table: TokenTable
    private let encoder: BytePairEncoder
    private let preTokenizer: PreTokenizer
    private let normalizer: TextNormalizer
    private let addedInText: AddedTokenMatcher
    private let addedInNormalizedText: AddedTokenMatcher
    private let prefix: [TokenID]
    private let suffix: [TokenID]

    /// Added tokens that are marked special, by their text.
    public let specialTokens: [String: TokenID]
    /// One more than the highest token id.
    public var vocabularySize: Int { table.count }

    init(_ parts: TokenizerParts) {
        table = parts.table
        encoder = parts.encoder
        preTokenizer = PreTokenizer(steps: parts.steps)
        normalizer = parts.normalizer
        prefix = parts.prefix
        suffix = parts.suffix
        addedInText = AddedTokenMatcher(
            parts.addedTokens.filter { !$0.isNormalized }.map { ($0, Array($0.content.utf8)) })
        addedInNormalizedText = AddedTokenMatcher(
            parts.addedTokens.filter(\.isNormalized).map { token in
                (token, Array(parts.normalizer.normalize(Array(token.content.utf8)[...])))
            })
        specialTokens = Dictionary(
            parts.addedTokens.filter(\.isSpecial).map { ($0.content, $0.id) }, uniquingKeysWith: { first, _ in first })
    }

    /// The ids of `text`, in time linear in its length, and n log n in the length of a word.
    public func encode(_ text: String, addSpecialTokens: Bool, parseSpecialTokens: Bool) -> [TokenID] {
        var output = addSpecialTokens ? prefix : []
        var workspace = BytePairEncoder.Workspace()
        addedInText.split(Array(text.utf8)[...], includesSpecial: parseSpecialTokens) { stretch, token in
            if let token { return output.append(token) }
            let normalized = normalizer.normalize(stretch)
            addedInNormalizedText.split(normalized, includesSpecial: parseSpecialTokens) { stretch, token in
                if let token { return output.append(token) }
                stretch.withUnsafeBufferPointer { buffer in
                    preTokenizer.split(buffer) { word in encoder.encode(word, into: &output, &workspace) }
                }
            }
        }
        if addSpecialTokens { output += suffix }
        return output
    }

    public func bytes(of token: TokenID) -> [UInt8]? { table.bytes(of: token).map(Array.init) }

    public func isSpecial(_ token: TokenID) -> Bool { table.isSpecial(token) }

    /// The text of `tokens`; bytes that are not UTF-8 become U+FFFD.
    public func decode(_ tokens: [TokenID], skipSpecialTokens: Bool) -> String {
        var text: [UInt8] = []
        for token in tokens where !(skipSpecialTokens && table.isSpecial(token)) {
            if let bytes = table.bytes(of: token) { text += bytes }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
