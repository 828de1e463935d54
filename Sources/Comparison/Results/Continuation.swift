/// A model's greedy continuation of a prompt.
public struct Continuation: Sendable, Hashable, Codable {
    public var promptTokens: [Int32] = []
    /// Tokens produced.
    public var tokens: [Int32] = []
    /// The probability that the model gave each of them.
    public var probabilities: [Float] = []
    public var text = ""
    /// Bytes of `text` once each token is there.
    public var textEnds: [Int] = []

    public init() {}

    /// How many tokens from the first on are those of `other`.
    public func identicalCount(with other: Continuation) -> Int {
        zip(tokens, other.tokens).prefix { $0 == $1 }.count
    }

    /// `text` up to the first `count` tokens, and the rest.
    func parts(tokenCount count: Int) -> (same: String, rest: String) {
        guard count > 0, !textEnds.isEmpty else { return ("", text) }
        let bytes = Array(text.utf8)
        // A token may end inside of a character.
        var end = min(textEnds[min(count, textEnds.count) - 1], bytes.count)
        while end > 0, end < bytes.count, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return (
            String(decoding: bytes[..<max(end, 0)], as: UTF8.self),
            String(decoding: bytes[max(end, 0)...], as: UTF8.self)
        )
    }
}
