/// Index of a token in a vocabulary.
public typealias TokenID = Int32

/// Text to token ids and back.
public protocol Tokenizer: Sendable {
    /// One more than the highest token id; ids at or above it are in no vocabulary.
    var vocabularySize: Int { get }

    /// Added tokens that are marked special, by their text.
    var specialTokens: [String: TokenID] { get }

    /// The ids of `text`.
    ///
    /// - Parameters:
    ///   - addSpecialTokens: whether the begin and end tokens that the vocabulary prescribes are added.
    ///   - parseSpecialTokens: whether text that spells a special token becomes that token. Never `true` for what a
    ///     user wrote: it would let users forge the roles of a conversation (CVE-2026-44222).
    func encode(_ text: String, addSpecialTokens: Bool, parseSpecialTokens: Bool) -> [TokenID]

    /// The bytes that a token stands for, perhaps only a part of a character; `nil`: not in the vocabulary.
    func bytes(of token: TokenID) -> [UInt8]?

    /// Whether the token is marked special.
    func isSpecial(_ token: TokenID) -> Bool

    /// The text of `tokens`; bytes that are not UTF-8 become U+FFFD, ids out of the vocabulary become nothing.
    func decode(_ tokens: [TokenID], skipSpecialTokens: Bool) -> String
}

extension Tokenizer {
    /// The text of `tokens`, from the bytes of each.
    public func decode(_ tokens: [TokenID], skipSpecialTokens: Bool) -> String {
        var text: [UInt8] = []
        for token in tokens where !(skipSpecialTokens && isSpecial(token)) {
            if let bytes = bytes(of: token) { text += bytes }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
