/// Converts tokens to text as they arrive. If the tokens are a whole text, the concatenated results are the result of
/// `decode` for all of them.
///
/// A character that is split across tokens is held back until it is complete. Bytes that cannot become a character are
/// replaced by U+FFFD: one for each maximal part (Unicode 16, chapter 3.9), as in Python and Rust, or, for tokens that
/// are single bytes in SentencePiece's way, one for each byte.
///
/// In a run of such tokens, `tokenizers` replaces complete characters, too, if another byte of the run is part of none.
/// Here these characters were already passed on, and stay.
public struct IncrementalDetokenizer: Sendable {
    private let tokenizer: any Tokenizer
    private let decoding: TokenDecoding
    private let skipSpecialTokens: Bool
    /// The first bytes of a character, at most three.
    private var held: [UInt8] = []
    /// Whether the last token was a single byte.
    private var isInByteRun = false
    /// Whether a byte of the run of single bytes was part of no character.
    private var isRunInvalid = false
    private var isAtStart: Bool
    /// How many more characters may be removed at the beginning.
    private var strippable: Int
    /// Characters that are removed if the text ends after them.
    private var heldEnd: [UInt8] = []

    /// - Parameter startsText: whether the tokens are the beginning of a text. Some vocabularies put a space before a
    ///   text and remove it again; the tokens of an answer continue a text, so that their first space is kept.
    public init(tokenizer: any Tokenizer, skipSpecialTokens: Bool = true, startsText: Bool = false) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
        decoding = tokenizer.decoding
        isAtStart = startsText
        strippable = startsText ? decoding.strippedStart.count : 0
    }

    /// The text that is final after `token`.
    public mutating func append(_ token: TokenID) -> String {
        if skipSpecialTokens, tokenizer.isSpecial(token) { return "" }
        guard var bytes = tokenizer.bytes(of: token) else { return "" }
        if isAtStart, let first = decoding.firstBytes[token] { bytes = first }
        if !decoding.separator.isEmpty, !isAtStart { bytes = decoding.separator + bytes }
        isAtStart = false
        if !decoding.byteTokens.isEmpty {
            let isByte = decoding.byteTokens.contains(token)
            if isByte { return appendToRun(bytes) }
            if isInByteRun { return stripped(endRun() + text(bytes)) }
        }
        return stripped(text(bytes))
    }

    /// Ends the text; returns what was held back.
    public mutating func finish() -> String {
        let rest = isInByteRun ? endRun() : String(decoding: held, as: UTF8.self)
        held.removeAll()
        let text = stripped(rest)
        heldEnd.removeAll()
        return text
    }

    /// The characters that `bytes` completes.
    private mutating func text(_ bytes: [UInt8]) -> String {
        if held.isEmpty, bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        held += bytes
        let whole = held.count - Self.incompleteCount(held)
        guard whole > 0 else { return "" }
        let text = String(decoding: held[..<whole], as: UTF8.self)
        held.removeFirst(whole)
        return text
    }

    /// Ends a run of single bytes; those that are no complete character become U+FFFD.
    private mutating func endRun() -> String {
        defer { held.removeAll() }
        isInByteRun = false
        isRunInvalid = false
        return String(repeating: "\u{FFFD}", count: held.count)
    }

    private mutating func appendToRun(_ bytes: [UInt8]) -> String {
        var text = ""
        if !isInByteRun {
            text = String(decoding: held, as: UTF8.self)
            held.removeAll()
            isInByteRun = true
        }
        if isRunInvalid { return stripped(text + String(repeating: "\u{FFFD}", count: bytes.count)) }
        held += bytes
        if Self.incompleteCount(held) < held.count {
            // A character is complete, or will never be.
            if let character = String(validating: held, as: UTF8.self) {
                text += character
            } else {
                isRunInvalid = true
                text += String(repeating: "\u{FFFD}", count: held.count)
            }
            held.removeAll()
        }
        return stripped(text)
    }

    /// `text` without what is removed from the beginning and perhaps from the end.
    private mutating func stripped(_ text: String) -> String {
        guard strippable > 0 || decoding.strippedEnd.count > 0, !text.isEmpty else { return text }
        var bytes = Array(text.utf8)[...]
        while strippable > 0, !bytes.isEmpty {
            if bytes.starts(with: decoding.strippedStart.content) {
                bytes = bytes.dropFirst(decoding.strippedStart.content.count)
                strippable -= 1
            } else {
                strippable = 0
            }
        }
        guard decoding.strippedEnd.count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        let all = heldEnd + bytes
        let content = decoding.strippedEnd.content
        var end = all.count
        for _ in 0..<decoding.strippedEnd.count where all[..<end].suffix(content.count).elementsEqual(content) {
            end -= content.count
        }
        heldEnd = Array(all[end...])
        return String(decoding: all[..<end], as: UTF8.self)
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
