/// The tokenization pipeline of Hugging Face's `tokenizers`: normalizer, pre-tokenizer, model, post-processor and
/// decoder. Its ids are those of `tokenizers` with the same file; the vocabulary of a GGUF file has a pipeline as well.
///
/// ```swift
/// let tokenizer = try TokenizerPipeline(tokenizerJSONPath: "model/tokenizer.json")
/// let ids = tokenizer.encode("Hello", addSpecialTokens: true, parseSpecialTokens: false)
/// ```
public struct TokenizerPipeline: Tokenizer {
    private let stages: PipelineStages

    /// Added tokens that are marked special, by their text.
    public let specialTokens: [String: TokenID]
    public let decoding: TokenDecoding
    /// One more than the highest token id.
    public var vocabularySize: Int { stages.table.count }

    init(_ parts: TokenizerParts) {
        stages = PipelineStages(parts)
        decoding = parts.decoding
        specialTokens = Dictionary(
            parts.addedTokens.filter(\.isSpecial).map { ($0.content, $0.id) }, uniquingKeysWith: { first, _ in first })
    }

    /// The ids of `text`, in time linear in its length, and n log n in the length of a word.
    public func encode(_ text: String, addSpecialTokens: Bool, parseSpecialTokens: Bool) -> [TokenID] {
        stages.encode(text, addSpecialTokens: addSpecialTokens, parseSpecialTokens: parseSpecialTokens)
    }

    public func bytes(of token: TokenID) -> [UInt8]? { stages.table.bytes(of: token).map(Array.init) }

    public func isSpecial(_ token: TokenID) -> Bool { stages.table.isSpecial(token) }
}

/// What turns a text into tokens. A class, because closures would retain each array of a structure for every word.
private final class PipelineStages: Sendable {
    let table: TokenTable
    private let model: TokenModel
    private let preTokenizer: PreTokenizer
    private let normalizer: TextNormalizer
    private let addedInText: AddedTokenMatcher
    private let addedInNormalizedText: AddedTokenMatcher
    private let prefix: [TokenID]
    private let suffix: [TokenID]
    private let spacing: PreTokenizer.Metaspace?
    private let workspaces = WorkspacePool()

    init(_ parts: TokenizerParts) {
        table = parts.table
        model = parts.model
        preTokenizer = PreTokenizer(steps: parts.steps)
        normalizer = parts.normalizer
        prefix = parts.prefix
        suffix = parts.suffix
        spacing = parts.spacing
        let workspace = TokenizerWorkspace()
        addedInText = AddedTokenMatcher(
            parts.addedTokens.filter { !$0.isNormalized }.map { ($0, Array($0.content.utf8)) })
        addedInNormalizedText = AddedTokenMatcher(
            parts.addedTokens.filter(\.isNormalized).map { token in
                let content = Array(token.content.utf8)
                return (token, parts.normalizer.normalize(content[...], workspace)?.text ?? content)
            })
    }

    func encode(_ text: String, addSpecialTokens: Bool, parseSpecialTokens: Bool) -> [TokenID] {
        var output = addSpecialTokens ? prefix : []
        let workspace = workspaces.take()
        defer { workspaces.give(workspace) }
        var followsSpecial = true
        let text = Array(text.utf8)[...]
        addedInText.split(text, includesSpecial: parseSpecialTokens) { stretch, token in
            if let token {
                followsSpecial = true
                return output.append(token)
            }
            var stretch = stretch
            var isFirst = stretch.startIndex == 0
            if let spacing {
                stretch = Self.spaced(stretch, spacing, isAfterSpecial: followsSpecial)
                followsSpecial = false
            }
            if let normalized = normalizer.normalize(stretch, workspace) {
                stretch = normalized.text[...]
                isFirst = isFirst && normalized.keepsStart
            }
            let start = stretch.startIndex
            addedInNormalizedText.split(stretch, includesSpecial: parseSpecialTokens) { stretch, token in
                if let token { return output.append(token) }
                let isFirst = isFirst && stretch.startIndex == start
                stretch.withUnsafeBufferPointer { buffer in
                    preTokenizer.split(buffer, isFirst: isFirst, workspace) { word in
                        model.encode(word, into: &output, workspace)
                    }
                }
            }
        }
        if addSpecialTokens { output += suffix }
        return output
    }

    /// The text with a character for each space and, after a special token and at the beginning, one more before it.
    private static func spaced(
        _ text: ArraySlice<UInt8>, _ spacing: PreTokenizer.Metaspace, isAfterSpecial: Bool
    ) -> ArraySlice<UInt8> {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + text.count / 2 + 3)
        if spacing.scheme == .always, isAfterSpecial { result += spacing.replacement }
        for byte in text {
            if byte == UInt8(ascii: " ") { result += spacing.replacement } else { result.append(byte) }
        }
        return result[...]
    }
}

/// The parts of a tokenizer, independent of the file format.
struct TokenizerParts {
    var table: TokenTable
    var model: TokenModel
    var steps: [PreTokenizer.Step]
    var normalizer = TextNormalizer.identity
    var addedTokens: [AddedToken]
    var prefix: [TokenID]
    var suffix: [TokenID]
    var decoding: TokenDecoding
    /// llama.cpp's spaces, which are put before a text after each special token. Only the schemes `always` and `never`
    /// are possible.
    var spacing: PreTokenizer.Metaspace?
}

/// Finds the tokens inside of a word.
enum TokenModel: Sendable {
    case bytePairs(BytePairEncoder)
    case unigram(UnigramEncoder)

    /// Appends the tokens of `word`, which is not empty, to `output`.
    func encode(
        _ word: UnsafeBufferPointer<UInt8>, into output: inout [TokenID], _ workspace: TokenizerWorkspace
    ) {
        switch self {
        case .bytePairs(let encoder): encoder.encode(word, into: &output, workspace.bytePairs)
        case .unigram(let encoder): encoder.encode(word, into: &output, workspace.unigram)
        }
    }
}
