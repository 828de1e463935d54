/// How the bytes of tokens become a text. In the simplest case, they are one after the other.
public struct TokenDecoding: Sendable, Equatable {
    /// The bytes of all tokens one after the other.
    public static let concatenation = TokenDecoding()

    /// Tokens that are single bytes of characters without a token (`<0xE2>`). A run of them that is not UTF-8 becomes
    /// one U+FFFD a byte.
    var byteTokens: Set<TokenID> = []
    /// The bytes of a token at the beginning of a text, where they are others than elsewhere.
    var firstBytes: [TokenID: [UInt8]] = [:]
    /// What stands between two tokens.
    var separator: [UInt8] = []
    /// What is removed from the beginning and from the end of a text.
    var strippedStart = StrippedText()
    var strippedEnd = StrippedText()

    /// A character that is removed up to `count` times.
    struct StrippedText: Sendable, Equatable {
        var content: [UInt8] = []
        var count = 0
    }

    init() {}
}
