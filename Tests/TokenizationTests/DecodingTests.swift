import Testing
import Tokenization

@Suite("Tokens of SentencePiece vocabularies become text")
struct DecodingTests {
    /// Byte tokens are 3 to 258; then come `▁Hello`, `▁world`, `!` and `▁▁`.
    private func tokenizer(decoder: String) throws -> TokenizerPipeline {
        let bytes = (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return "\"<0x\(digits.count < 2 ? "0" : "")\(digits)>\": \(byte + 3)"
        }
        let source = """
            {"model": {"type": "BPE", "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, \(bytes.joined(separator: ", ")),
            "▁Hello": 259, "▁world": 260, "!": 261, "▁▁": 262}, "merges": [], "byte_fallback": true},
            "added_tokens": [{"id": 1, "content": "<s>", "special": true}], "decoder": \(decoder)}
            """
        return try TokenizerPipeline(tokenizerJSON: source.utf8)
    }

    private let llama = """
        {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
        """

    private func pieces(_ tokenizer: TokenizerPipeline, _ tokens: [TokenID], startsText: Bool) -> [String] {
        var detokenizer = IncrementalDetokenizer(tokenizer: tokenizer, startsText: startsText)
        return tokens.map { detokenizer.append($0) } + [detokenizer.finish()]
    }

    @Test("the space before a text is removed at its beginning only, and not from an answer")
    func space() throws {
        let tokenizer = try tokenizer(decoder: llama)
        #expect(tokenizer.decode([1, 259, 260, 261], skipSpecialTokens: true) == "Hello world!")
        #expect(tokenizer.decode([1, 259], skipSpecialTokens: false) == "<s> Hello")
        #expect(tokenizer.decode([262, 261], skipSpecialTokens: true) == " !")
        #expect(pieces(tokenizer, [259, 260], startsText: true) == ["Hello", " world", ""])
        #expect(pieces(tokenizer, [259, 260], startsText: false) == [" Hello", " world", ""])
        #expect(tokenizer.bytes(of: 259).map { String(decoding: $0, as: UTF8.self) } == " Hello")
    }

    @Test("single bytes become characters as soon as they are complete, and U+FFFD where they never will be")
    func bytes() throws {
        let tokenizer = try tokenizer(decoder: llama)
        func tokens(_ bytes: [UInt8]) -> [TokenID] { bytes.map { TokenID($0) + 3 } }
        #expect(pieces(tokenizer, tokens(Array("é世".utf8)), startsText: true) == ["", "é", "", "", "世", ""])
        let broken = tokens([0xE4, 0xB8]) + [261] + tokens([0xFF, 0x41]) + [261] + tokens([0xE4])
        #expect(
            pieces(tokenizer, broken, startsText: true)
                == ["", "", "\u{FFFD}\u{FFFD}!", "\u{FFFD}", "\u{FFFD}", "!", "", "\u{FFFD}"])
        #expect(tokenizer.decode(broken, skipSpecialTokens: true) == "\u{FFFD}\u{FFFD}!\u{FFFD}\u{FFFD}!\u{FFFD}")
    }

    @Test("other decoders: Metaspace, none, and characters removed from the end")
    func others() throws {
        let metaspace = try tokenizer(
            decoder: #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}"#)
        #expect(metaspace.decode([259, 262, 260], skipSpecialTokens: true) == "Hello   world")
        #expect(metaspace.decode([262, 260], skipSpecialTokens: true) == " world")
        let never = try tokenizer(decoder: #"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"}"#)
        #expect(never.decode([259, 260], skipSpecialTokens: true) == " Hello world")
        let none = try tokenizer(decoder: "null")
        #expect(none.decode([259, 260, 261], skipSpecialTokens: true) == "▁Hello ▁world !")
        let suffix = try tokenizer(decoder: #"{"type": "BPEDecoder", "suffix": "!"}"#)
        #expect(suffix.decode([259, 261, 260, 261], skipSpecialTokens: true) == "▁Hello ▁world")
        #expect(pieces(suffix, [259, 261, 260, 261], startsText: true) == ["▁Hello", "", " ▁world", "", ""])
    }
}
