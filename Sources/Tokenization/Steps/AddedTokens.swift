/// A token in a file other than `tokenizer.json`, such as in `added_tokens_decoder` of `tokenizer_config.json`, with
/// the flags of Hugging Face's `AddedToken`.
public struct NamedToken: Sendable, Hashable {
    public var content: String
    /// Whether it is a control token, which must not result from texts of users.
    public var isSpecial: Bool
    /// Whether it includes the white space before it (`lstrip`).
    public var stripsLeft: Bool
    /// Whether it includes the white space after it (`rstrip`).
    public var stripsRight: Bool
    /// Whether it does not match inside of a longer word.
    public var isSingleWord: Bool
    /// Whether it is matched in the normalized text.
    public var isNormalized: Bool

    /// By default, a token that is not special is matched in the normalized text.
    public init(
        _ content: String, isSpecial: Bool, stripsLeft: Bool = false, stripsRight: Bool = false,
        isSingleWord: Bool = false, isNormalized: Bool? = nil
    ) {
        self.content = content
        self.isSpecial = isSpecial
        self.stripsLeft = stripsLeft
        self.stripsRight = stripsRight
        self.isSingleWord = isSingleWord
        self.isNormalized = isNormalized ?? !isSpecial
    }
}

/// The added tokens of a vocabulary; more can be added with the rules of `add_tokens` of `tokenizers`.
struct AddedTokens {
    private(set) var tokens: [AddedToken]

    init(_ tokens: [AddedToken]) { self.tokens = tokens }

    /// Adds a token, or changes the flags of an existing one. Returns the token; nil: nothing changes.
    ///
    /// A special token stays special, so that texts of users cannot become it. `id` is the id of the text in the model.
    /// Without one, the token gets the next free id after the `modelSize` tokens of the model and the added tokens; ids
    /// in files are ignored.
    mutating func add(_ named: NamedToken, id: TokenID?, modelSize: Int) -> AddedToken? {
        guard !named.content.isEmpty else { return nil }
        let wasSpecial = tokens.contains { $0.content == named.content && $0.isSpecial }
        let next = max((tokens.map(\.id).max() ?? -1) + 1, TokenID(modelSize))
        let token = AddedToken(
            id: id ?? next, content: named.content, isSpecial: named.isSpecial || wasSpecial,
            stripsLeft: named.stripsLeft,
            stripsRight: named.stripsRight, isSingleWord: named.isSingleWord, isNormalized: named.isNormalized)
        guard let index = tokens.firstIndex(where: { $0.id == token.id }) else {
            tokens.append(token)
            return token
        }
        guard tokens[index] != token else { return nil }
        tokens[index] = token
        return token
    }
}

/// A token that is matched in the text before the text is split into words.
struct AddedToken: Sendable, Equatable {
    let id: TokenID
    let content: String
    var isSpecial = true
    /// Includes the white space before it.
    var stripsLeft = false
    /// Includes the white space after it.
    var stripsRight = false
    /// Does not match inside of a longer word.
    var isSingleWord = false
    /// Is matched in the normalized text instead of the original text.
    var isNormalized = false
}

/// Finds added tokens in text with the rules of `tokenizers`: the leftmost match, of several at one position the
/// longest, without overlaps. Then each match is extended by the white space that it strips. If it then covers the next
/// match, that one is still reported, and the text continues after the last one.
struct AddedTokenMatcher: Sendable {
    private let tokens: [AddedToken]
    /// The trie's edges: node and byte to node.
    private var edges: [UInt64: Int32] = [:]
    /// The token that ends at each node; -1: none.
    private var tokenAtNode: [Int32] = [-1]
    private var startsToken = [Bool](repeating: false, count: 256)

    /// Matches each token by its bytes.
    init(_ entries: [(token: AddedToken, bytes: [UInt8])]) {
        tokens = entries.map(\.token)
        for (index, entry) in entries.enumerated() where !entry.bytes.isEmpty {
            startsToken[Int(entry.bytes[0])] = true
            var node: Int32 = 0
            for byte in entry.bytes {
                let key = UInt64(node) << 8 | UInt64(byte)
                if let child = edges[key] {
                    node = child
                } else {
                    let child = Int32(tokenAtNode.count)
                    tokenAtNode.append(-1)
                    edges[key] = child
                    node = child
                }
            }
            tokenAtNode[Int(node)] = Int32(index)
        }
    }

    /// Calls `body` with each stretch of `text` between tokens (`token` is `nil`) and each token, in order.
    func split(
        _ text: ArraySlice<UInt8>, includesSpecial: Bool,
        _ body: (_ stretch: ArraySlice<UInt8>, _ token: TokenID?) -> Void
    ) {
        var done = text.startIndex
        var index = text.startIndex
        while index < text.endIndex {
            guard startsToken[Int(text[index])], let (token, matchEnd) = longest(text, index) else {
                index += 1
                continue
            }
            var (start, end) = (index, matchEnd)
            index = matchEnd
            if token.isSpecial, !includesSpecial { continue }
            if token.isSingleWord {
                let isWordBefore = TextBoundary.scalar(before: start, in: text).map(TextBoundary.isWord) ?? false
                let isWordAfter = TextBoundary.scalar(at: end, in: text).map(TextBoundary.isWord) ?? false
                if isWordBefore || isWordAfter { continue }
            }
            if token.stripsLeft {
                while start > done, let scalar = TextBoundary.scalar(before: start, in: text),
                    scalar.properties.isWhitespace
                {
                    start -= UTF8.width(scalar)
                }
                start = max(start, done)
            }
            if token.stripsRight {
                while let scalar = TextBoundary.scalar(at: end, in: text), scalar.properties.isWhitespace {
                    end += UTF8.width(scalar)
                }
            }
            if done < start { body(text[done..<start], nil) }
            // A token that consists of white space may be covered completely by the one before it.
            if start < end { body(text[start..<end], token.id) }
            done = end
        }
        if done < text.endIndex { body(text[done...], nil) }
    }

    private func longest(_ text: ArraySlice<UInt8>, _ start: Int) -> (token: AddedToken, end: Int)? {
        var node: Int32 = 0
        var found: (AddedToken, Int)?
        var index = start
        while index < text.endIndex, let child = edges[UInt64(node) << 8 | UInt64(text[index])] {
            node = child
            index += 1
            let token = tokenAtNode[Int(node)]
            if token >= 0 { found = (tokens[Int(token)], index) }
        }
        return found
    }
}

/// The scalars before and after an index in valid UTF-8.
enum TextBoundary {
    /// The scalar that starts at `index`; `nil`: the text ends there.
    static func scalar(at index: Int, in text: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard index < text.endIndex else { return nil }
        var end = index + 1
        while end < text.endIndex, text[end] & 0xC0 == 0x80 { end += 1 }
        return String(decoding: text[index..<end], as: UTF8.self).unicodeScalars.first
    }

    /// The scalar that ends at `index`; `nil`: the text starts there.
    static func scalar(before index: Int, in text: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard index > text.startIndex else { return nil }
        var start = index - 1
        while start > text.startIndex, text[start] & 0xC0 == 0x80 { start -= 1 }
        return String(decoding: text[start..<index], as: UTF8.self).unicodeScalars.first
    }

    /// Whether a regular expression's `\w` matches `scalar` (UTS #18, annex C).
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isAssigned(in: UnicodeVersion.regularExpressions) else { return false }
        if scalar.properties.isAlphabetic || scalar.properties.isJoinControl { return true }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return false
        }
    }
}
