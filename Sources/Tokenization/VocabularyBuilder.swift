/// The parts of a byte-level BPE tokenizer, independent of the file format.
struct TokenizerParts {
    let table: TokenTable
    let encoder: BytePairEncoder
    let steps: [PreTokenizer.Step]
    let normalizer: TextNormalizer
    let addedTokens: [AddedToken]
    let prefix: [TokenID]
    let suffix: [TokenID]
}

/// Collects a vocabulary and its merges, and checks that they are consistent.
struct VocabularyBuilder {
    /// The file's name in errors.
    let file: String
    private let alphabet = ByteLevelAlphabet()
    private var ids: [[UInt8]: TokenID] = [:]
    private(set) var table = TokenTable()
    /// Higher ids are refused, because memory is proportional to the highest id.
    private static let maximumID = 1 << 24

    init(file: String) { self.file = file }

    /// Adds a token. Its bytes are those of the byte-level decoder of `tokenizers`: its UTF-8 if it has a character
    /// that is not in the alphabet.
    mutating func add(_ token: String, id: Int, isSpecial: Bool, key: String) throws(TokenizationError) {
        guard (0..<Self.maximumID).contains(id) else {
            throw .unsupported(file: file, key: key, expected: "an id from 0 to \(Self.maximumID - 1)", found: "\(id)")
        }
        table.set(TokenID(id), bytes: alphabet.bytes(of: token) ?? Array(token.utf8), isSpecial: isSpecial)
        ids[Array(token.utf8)] = TokenID(id)
    }

    /// The number of different tokens.
    var tokenCount: Int { ids.count }

    func id(of token: String) -> TokenID? { ids[Array(token.utf8)] }

    /// The encoder of the tokens added so far, with `merges` in the order of their ranks.
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

/// The bytes of all tokens, in one array, and which tokens are special.
struct TokenTable: Sendable {
    private var bytes: [UInt8] = []
    /// The offset of the bytes of each id; negative: no token has this id.
    private var starts: [Int] = []
    private var ends: [Int] = []
    private var special: [Bool] = []

    /// One more than the highest id.
    var count: Int { starts.count }

    init() {}

    /// Sets the bytes of `token`.
    ///
    /// - Precondition: `token` is not negative.
    mutating func set(_ token: TokenID, bytes new: some Collection<UInt8>, isSpecial: Bool) {
        let index = Int(token)
        while starts.count <= index {
            starts.append(-1)
            ends.append(-1)
            special.append(false)
        }
        starts[index] = bytes.count
        bytes.append(contentsOf: new)
        ends[index] = bytes.count
        special[index] = isSpecial
    }

    /// The bytes of `token`; `nil`: there is no such token.
    func bytes(of token: TokenID) -> ArraySlice<UInt8>? {
        guard token >= 0, token < starts.count, starts[Int(token)] >= 0 else { return nil }
        return bytes[starts[Int(token)]..<ends[Int(token)]]
    }

    func isSpecial(_ token: TokenID) -> Bool {
        token >= 0 && token < special.count && special[Int(token)]
    }
}

/// The 256 characters that represent bytes in vocabularies of GPT-2 and later models, so that these are printable text.
///
/// Printable Latin-1 bytes represent themselves; the other 68 are U+0100 and up, in order
/// (Radford et al. 2019, `bytes_to_unicode` of the GPT-2 release).
struct ByteLevelAlphabet: Sendable {
    /// The byte of each scalar below U+0144; -1: none.
    private let byteOfScalar: [Int16]

    let scalarOfByte: [Unicode.Scalar]

    init() {
        var bytes = [Int16](repeating: -1, count: 0x144)
        var scalars: [Unicode.Scalar] = []
        var next: UInt16 = 0x100
        for byte in UInt16(0)...255 {
            let isItself = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
            let value = isItself ? byte : next
            if !isItself { next += 1 }
            bytes[Int(value)] = Int16(byte)
            scalars.append(Unicode.Scalar(value) ?? "?")
        }
        byteOfScalar = bytes
        scalarOfByte = scalars
    }

    /// The bytes that `token` represents; `nil`: it has a character that is not in the alphabet.
    func bytes(of token: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(token.utf8.count)
        for scalar in token.unicodeScalars {
            guard scalar.value < 0x144, byteOfScalar[Int(scalar.value)] >= 0 else { return nil }
            bytes.append(UInt8(byteOfScalar[Int(scalar.value)]))
        }
        return bytes
    }
}
