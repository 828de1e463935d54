/// Collects a vocabulary and its merges, and checks that they are consistent.
struct VocabularyBuilder {
    /// The file's name in errors.
    let file: String
    private let decoder: TokenDecoder
    private let workspace = TokenizerWorkspace()
    private(set) var ids = ByteStringIndex()
    private(set) var table = TokenTable()
    /// The decoder's rules, with the tokens that they concern.
    private(set) var decoding: TokenDecoding
    /// For each separator, whether a character that ends with a byte stands before it in the result of a merge.
    private var isJoined = [[Bool]](repeating: [Bool](repeating: false, count: 256), count: 2)
    /// Higher ids are refused, because memory is proportional to the highest id.
    private static let maximumID = 1 << 24

    /// `decoder`: what becomes of the texts of tokens.
    init(file: String, decoder: TokenDecoder) {
        self.file = file
        self.decoder = decoder
        decoding = decoder.decoding
    }

    /// Adds a token. `decodesAs`: the text that is decoded instead of the token's.
    mutating func add(
        _ token: String, id: Int, isSpecial: Bool, decodesAs text: [UInt8]? = nil, key: String
    ) throws(TokenizationError) {
        guard (0..<Self.maximumID).contains(id) else {
            throw .unsupported(file: file, key: key, expected: "an id from 0 to \(Self.maximumID - 1)", found: "\(id)")
        }
        let id = TokenID(id)
        let (bytes, first, isByte) = decoder.bytes(of: text ?? Array(token.utf8), workspace)
        table.set(id, bytes: bytes, isSpecial: isSpecial)
        decoding.firstBytes[id] = first == bytes ? nil : first
        if isByte { decoding.byteTokens.insert(id) } else { decoding.byteTokens.remove(id) }
        ids.set(token, id: id)
    }

    /// The number of different tokens.
    var tokenCount: Int { ids.count }

    func id(of token: String) -> TokenID? { ids.id(of: token) }

    /// The tokens of all bytes (`<0x00>` to `<0xFF>`); negative: there is none.
    var byteTokens: [TokenID] { (UInt8.min...UInt8.max).map { id(of: ByteToken.text($0)) ?? -1 } }

    /// The first tokens of byte-level vocabularies, whose tokens are written in the byte-level alphabet.
    func byteSymbols(unknownToken: TokenID?, fusesUnknown: Bool) -> InitialSymbols {
        InitialSymbols(
            tokenOfByte: ByteLevelAlphabet.shared.scalarOfByte.map { id(of: String(Character($0))) ?? -1 },
            unknownToken: unknownToken, fusesUnknown: fusesUnknown)
    }

    /// The first tokens of other vocabularies.
    func scalarSymbols(unknownToken: TokenID?, fusesUnknown: Bool, fallsBackToBytes: Bool) -> InitialSymbols {
        var tokens: [TokenID] = []
        ids.forEach { text, id in
            guard let first = text.first, first & 0xC0 != 0x80 else { return }
            let (value, length) = UTF8Scalar.value(at: 0, of: text)
            guard length == text.count else { return }
            if value >= tokens.count { tokens += repeatElement(-1, count: Int(value) + 1 - tokens.count) }
            tokens[Int(value)] = id
        }
        return InitialSymbols(
            tokenOfScalar: tokens, fallbackTokens: fallsBackToBytes ? byteTokens : [], unknownToken: unknownToken,
            fusesUnknown: fusesUnknown)
    }

    /// The tokens of the vocabulary that are whole words, for `ignore_merges`.
    func wholeWords(isByteLevel: Bool) -> ByteStringIndex {
        guard isByteLevel else { return ids }
        var words = ByteStringIndex()
        ids.forEach { text, id in
            if let bytes = ByteLevelAlphabet.shared.bytes(of: text) {
                bytes.withUnsafeBufferPointer { words.set($0, id: id) }
            }
        }
        return words
    }

    /// The merges of a list, whose order is that of the ranks. A merge of or to a text that is no token is an error, or is
    /// left out where `skipsUnknown`: it can never happen.
    mutating func merges(
        _ list: [(left: String, right: String)], key: String, skipsUnknown: Bool = false
    ) throws(TokenizationError) -> MergeTable {
        var table = MergeTable(count: list.count)
        for (rank, merge) in list.enumerated() {
            var result = merge.left + merge.right
            let ids = (id(of: merge.left), id(of: merge.right), id(of: result))
            guard let left = ids.0, let right = ids.1, let token = ids.2 else {
                if skipsUnknown { continue }
                let missing = ids.0 == nil ? merge.left : ids.1 == nil ? merge.right : result
                throw .unsupported(
                    file: file, key: "\(key)[\(rank)]", expected: "tokens of the vocabulary", found: "\"\(missing)\"")
            }
            table.insert(left: left, right: right, rank: UInt32(rank), token: token)
            result.withUTF8 { noteResult($0) }
        }
        return table
    }

    /// The merges of a SentencePiece vocabulary that has scores instead: any two tokens merge to a third one, those with
    /// the highest score first. `tokens`: the texts and scores of the tokens that can be the result.
    mutating func merges(scores tokens: [(text: String, id: TokenID, score: Float)]) -> MergeTable {
        var ranks: [Float: UInt32] = [:]
        for score in Set(tokens.map(\.score)).sorted(by: >) { ranks[score] = UInt32(ranks.count) }
        var pairs: [(left: TokenID, right: TokenID, rank: UInt32, token: TokenID)] = []
        for token in tokens {
            var text = token.text
            text.withUTF8 { text in
                noteResult(text)
                var middle = 0
                while middle < text.count {
                    middle += UTF8Scalar.value(at: middle, of: text).length
                    guard middle < text.count else { break }
                    if let left = ids.id(of: UnsafeBufferPointer(rebasing: text[..<middle])),
                        let right = ids.id(of: UnsafeBufferPointer(rebasing: text[middle...]))
                    {
                        pairs.append((left, right, ranks[token.score] ?? 0, token.id))
                    }
                }
            }
        }
        var table = MergeTable(count: pairs.count)
        for pair in pairs { table.insert(left: pair.left, right: pair.right, rank: pair.rank, token: pair.token) }
        return table
    }

    /// Where words can be cut: at `▁` or at a space, if it is a token. To be asked after the merges are made.
    var separator: WordSeparator? {
        for (candidate, isJoined) in zip(Self.separators, isJoined) where ids.id(of: candidate) != nil {
            return WordSeparator(bytes: candidate, isJoined: isJoined)
        }
        return nil
    }

    private static let separators = ["▁", " "].map { Array($0.utf8) }

    /// Notes which characters stand before a separator in the result of a merge.
    private mutating func noteResult(_ text: UnsafeBufferPointer<UInt8>) {
        for (number, separator) in Self.separators.enumerated() {
            var index = 0
            var last: UInt8?
            while index < text.count {
                if text[index] == separator[0], text[index...].starts(with: separator) {
                    if let last { isJoined[number][Int(last)] = true }
                    last = nil
                    index += separator.count
                } else {
                    last = text[index]
                    index += 1
                }
            }
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
