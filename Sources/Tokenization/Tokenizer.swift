/// Index of a token in a vocabulary.
public typealias TokenID = Int32

/// Text to token ids and back.
public protocol Tokenizer: Sendable {
    /// One more than the highest token id.
    var vocabularySize: Int { get }

    /// Added tokens that are marked special, by their text.
    var specialTokens: [String: TokenID] { get }

    /// The ids of `text`.
    ///
    /// - Parameters:
    ///   - addSpecialTokens: whether the vocabulary's begin and end tokens are added.
    ///   - parseSpecialTokens: whether the text of a special token becomes that token. It must be `false` for texts of
    ///     users, who could otherwise forge the roles of a conversation (CVE-2026-44222).
    func encode(_ text: String, addSpecialTokens: Bool, parseSpecialTokens: Bool) -> [TokenID]

    /// The bytes of a token, which may be only a part of a character; `nil`: the token is not in the vocabulary.
    func bytes(of token: TokenID) -> [UInt8]?

    /// Whether the token is marked special.
    func isSpecial(_ token: TokenID) -> Bool

    /// The text of `tokens`; bytes that are not UTF-8 become U+FFFD, ids that are not in the vocabulary are skipped.
    func decode(_ tokens: [TokenID], skipSpecialTokens: Bool) -> String
}

extension Tokenizer {
    public func decode(_ tokens: [TokenID], skipSpecialTokens: Bool) -> String {
        var text: [UInt8] = []
        for token in tokens where !(skipSpecialTokens && isSpecial(token)) {
            if let bytes = bytes(of: token) { text += bytes }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
