/// Index of a token in a vocabulary.
public typealias TokenID = Int32

/// Text to token ids and back.
public protocol Tokenizer: Sendable {
    /// One more than the highest token id.
    var vocabularySize: Int { get }

    /// Added tokens that are marked special, by their text.
    var specialTokens: [String: TokenID] { get }

    /// How the bytes of tokens become a text; by default one after the other.
    var decoding: TokenDecoding { get }

    /// The ids of `text`.
    ///
    /// - Parameters:
    ///   - addSpecialTokens: whether the vocabulary's begin and end tokens are added.
    ///   - parseSpecialTokens: whether the text of a special token becomes that token. It must be `false` for texts of
    ///     users, who could otherwise forge the roles of a conversation (CVE-2026-44222).
    func encode(_ text: String, addSpecialTokens: Bool, parseSpecialTokens: Bool) -> [TokenID]

    /// The bytes of a token inside of a text, which may be only a part of a character; `nil`: the token is not in the
    /// vocabulary.
    func bytes(of token: TokenID) -> [UInt8]?

    /// Whether the token is marked special.
    func isSpecial(_ token: TokenID) -> Bool

    /// The text of `tokens`; bytes that are not UTF-8 become U+FFFD, ids that are not in the vocabulary are skipped.
    func decode(_ tokens: [TokenID], skipSpecialTokens: Bool) -> String
}

extension Tokenizer {
    public var decoding: TokenDecoding { .concatenation }

    public func decode(_ tokens: [TokenID], skipSpecialTokens: Bool) -> String {
        var detokenizer = IncrementalDetokenizer(
            tokenizer: self, skipSpecialTokens: skipSpecialTokens, startsText: true)
        var text = ""
        for token in tokens { text += detokenizer.append(token) }
        return text + detokenizer.finish()
    }
}
