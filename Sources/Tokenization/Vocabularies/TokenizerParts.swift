/// What a byte-level BPE tokenizer is made of, wherever it was read from.
struct TokenizerParts {
    let table: TokenTable
    let encoder: BytePairEncoder
    let steps: [PreTokenizer.Step]
    let normalizer: TextNormalizer
    let addedTokens: [AddedToken]
    let prefix: [TokenID]
    let suffix: [TokenID]
}

/// Gathers a vocabulary and its merges, and checks that they fit together.
struct VocabularyBuilder {
    /// Names the file in errors.
    let file: String
    private let alphabet = ByteLevelAlphabet()
    private var ids: [[UInt8]: TokenID] = [:]
    private(set) var table = TokenTable()
    /// Ids above this are refused: they would cost memory without end.
    private static let maximumID = 1 << 24

    init(file: String) { self.file = file }

    /// Adds a token of the vocabulary proper, or one found in text; its bytes are what the byte-level decoder of
    /// `tokenizers` makes of it: its own UTF-8 where a character is not of the alphabet.
    mutating func add(_ token: String, id: Int, isSpecial: Bool, key: String) throws(TokenizationError) {
        guard (0..<Self.maximumID).contains(id) else {
            throw .unsupported(file: file, key: key, expected: "an id from 0 to \(Self.maximumID - 1)", found: "\(id)")
        }
        table.set(TokenID(id), bytes: alphabet.bytes(of: token) ?? Array(token.utf8), isSpecial: isSpecial)
        ids[Array(token.utf8)] = TokenID(id)
    }

    /// How many different tokens there are.
    var tokenCount: Int { ids.count }

    /// The id of a token.
    func id(of token: String) -> TokenID? { ids[Array(token.utf8)] }

    /// The encoder of the tokens added so far, with `merges` from the lowest rank.
    func encoder(
        merges: [(left: String, right: String)], mergesKey: String, unknownToken: TokenID?, fusesUnknown: Bool,
        ignoresMergesForWholeWords: Bool
    ) throws(TokenizationError) -> BytePairEncoder {
        var table = MergeTable(count: merges.count)
        for (rank, merge) in merges.enumerated() {
            func id(_ token: String) throws(TokenizationError) -> TokenID {
                if let id = self.id(of: token) { return id }
                throw .unsupported(
                    file: file, key: "\(mergesKey)[\(rank)]", expected: "tokens of the vocabulary",
                    found: "\"\(token)\"")
            }
            table.insert(
                left: try id(merge.left), right: try id(merge.right), rank: UInt32(rank),
                token: try id(merge.left + merge.right))
        }
        var words: [[UInt8]: TokenID] = [:]
        if ignoresMergesForWholeWords {
            for (token, id) in ids {
                if let bytes = alphabet.bytes(of: String(decoding: token, as: UTF8.self)) { words[bytes] = id }
            }
        }
        return BytePairEncoder(
            tokenOfByte: alphabet.scalarOfByte.map { id(of: String(Character($0))) ?? -1 },
            unknownToken: unknownToken, fusesUnknown: fusesUnknown, merges: table, wholeWords: words)
    }
}
