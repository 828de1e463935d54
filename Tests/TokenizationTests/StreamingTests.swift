import Testing
import Tokenization

@Suite("Text that comes in pieces")
struct StreamingTests {
    /// A tokenizer with one token for each byte.
    private struct Bytes: Tokenizer {
        var vocabularySize: Int { 256 }
        var specialTokens: [String: TokenID] { [:] }
        func encode(_ text: String, addSpecialTokens: Bool, parseSpecialTokens: Bool) -> [TokenID] {
            text.utf8.map { TokenID($0) }
        }
        func bytes(of token: TokenID) -> [UInt8]? { UInt8(exactly: token).map { [$0] } }
        func isSpecial(_ token: TokenID) -> Bool { false }
    }

    @Test("no piece ends within a character", arguments: ["aé世👍🏽z", "👩‍👩‍👧‍👦", "\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}"])
    func wholeCharacters(text: String) {
        var detokenizer = IncrementalDetokenizer(tokenizer: Bytes())
        let pieces = Bytes().encode(text, addSpecialTokens: false, parseSpecialTokens: false)
            .map { detokenizer.append($0) }
        #expect(!pieces.joined().unicodeScalars.contains("\u{FFFD}"))
        #expect(pieces.joined().scalars == text.scalars)
        #expect(detokenizer.finish().isEmpty)
    }

    @Test("invalid bytes in pieces give the same text as decoding all of them")
    func invalidBytes() {
        let tokenizer = Bytes()
        for first in TokenID(0x7F)...0xFF {
            for second in TokenID(0x7F)...0xFF {
                for tokens in [[first, second], [0xF0, first, second, 0x41], [first, second, 0x80, 0x80]] {
                    var detokenizer = IncrementalDetokenizer(tokenizer: tokenizer)
                    let pieces = tokens.map { detokenizer.append($0) } + [detokenizer.finish()]
                    let whole = tokenizer.decode(tokens, skipSpecialTokens: false)
                    if pieces.joined().scalars != whole.scalars { Issue.record("\(tokens)") }
                }
            }
        }
    }

    @Test(
        "the first complete stop string ends the text, however it is cut",
        arguments: [
            ("hello STOP world", ["STOP"], "hello ", "STOP"),
            ("hello world", ["STOP"], "hello world", nil),
            ("aaab", ["aab"], "a", "aab"),
            ("abcabd", ["abcabe", "bd"], "abca", "bd"),
            ("xSTOPPED", ["STOPPED", "STOP"], "x", "STOP"),
            ("x\n\nUser: hi", ["\n\nUser:", "User:"], "x", "\n\nUser:"),
            ("ends with ST", ["STOP"], "ends with ST", nil),
            ("naïve 世界終", ["世終", "界終"], "naïve 世", "界終"),
            ("e\u{301}x", ["é"], "e\u{301}x", nil),
            ("text", [""], "text", nil),
        ] as [(String, [String], String, String?)])
    func stopStrings(text: String, stops: [String], expected: String, stop: String?) {
        for size in 1...text.unicodeScalars.count {
            for includesStop in [false, true] {
                var matcher = StopStringMatcher(stopStrings: stops, includesStop: includesStop)
                var output = ""
                var found: String?
                var rest = text.unicodeScalars[...]
                while !rest.isEmpty, found == nil {
                    let (text, stop) = matcher.append(String(rest.prefix(size)))
                    output += text
                    found = stop
                    rest = rest.dropFirst(size)
                }
                output += matcher.finish()
                #expect(found == stop)
                #expect(output.scalars == (expected + (includesStop ? stop ?? "" : "")).scalars)
                #expect(matcher.isFinished == (stop != nil))
            }
        }
    }

    @Test("only the possible beginning of a stop string is held back")
    func holdsBackLittle() {
        var matcher = StopStringMatcher(stopStrings: ["\n\nHuman"])
        #expect(matcher.append("a\n").text == "a")
        #expect(matcher.append("b").text == "\nb")
        #expect(matcher.append("\n\nHum").text == "")
        #expect(matcher.append("\n").text == "\n\nHum")
        #expect(matcher.finish() == "\n")
    }
}
