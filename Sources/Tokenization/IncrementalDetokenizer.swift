/// Converts tokens to text as they arrive. The concatenated results are the result of `decode` for all tokens.
///
/// A character that is split across tokens is held back until it is complete. Bytes that cannot become a character are
/// replaced by U+FFFD, one for each maximal part (Unicode 16, chapter 3.9), as in Python and Rust.
public struct IncrementalDetokenizer: Sendable {
    private let tokenizer: any Tokenizer
    private let skipSpecialTokens: Bool
    /// The first bytes of a character, at most three.
    private var held: [UInt8] = []

    public init(tokenizer: any Tokenizer, skipSpecialTokens: Bool = true) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
    }

    /// The text that is final after `token`.
    public mutating func append(_ token: TokenID) -> String {
        if skipSpecialTokens, tokenizer.isSpecial(token) { return "" }
        guard let bytes = tokenizer.bytes(of: token) else { return "" }
        held += bytes
        let whole = held.count - Self.incompleteCount(held)
        guard whole > 0 else { return "" }
        let text = String(decoding: held[..<whole], as: UTF8.self)
        held.removeFirst(whole)
        return text
    }

    /// Ends the text; returns what was held back.
    public mutating func finish() -> String {
        defer { held.removeAll() }
        return String(decoding: held, as: UTF8.self)
    }

    /// The number of bytes at the end that begin a character which more bytes could complete (Unicode 16, table 3-7).
    private static func incompleteCount(_ bytes: [UInt8]) -> Int {
        for count in 1...3 where count <= bytes.count {
            let first = bytes[bytes.count - count]
            if first & 0xC0 == 0x80 { continue }
            let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
            guard (0xC2...0xF4).contains(first), count < length else { return 0 }
            guard count > 1 else { return 1 }
            let second = bytes[bytes.count - count + 1]
            switch first {
            case 0xE0: return second >= 0xA0 ? count : 0
            case 0xED: return second < 0xA0 ? count : 0
            case 0xF0: return second >= 0x90 ? count : 0
            case 0xF4: return second < 0x90 ? count : 0
            default: return count
            }
        }
        return 0
    }
}
