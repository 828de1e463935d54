import FoundationEssentials
import JSON
import Testing
import Tokenization

@Suite("Hostile texts and files")
struct HostileInputTests {
    @Test(
        "a word of 100 KB is encoded and decoded",
        arguments: ["a", "ab", "=", " ", "\n", "é", "'", "0", "👍"])
    func longWords(unit: String) throws {
        let text = String(repeating: unit, count: 100_000 / unit.utf8.count)
        for family in Fixture.families {
            let tokenizer = try Fixture.tokenizer(family)
            // Quadratic work would take minutes.
            let ids = tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false)
            #expect(tokenizer.decode(ids, skipSpecialTokens: false) == text)
        }
    }

    @Test("text of a user that spells special tokens is ordinary text", arguments: Fixture.families)
    func forgedRoles(family: String) throws {
        let tokenizer = try Fixture.tokenizer(family)
        #expect(!tokenizer.specialTokens.isEmpty)
        for (text, id) in tokenizer.specialTokens {
            #expect(tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: true) == [id])
            let plain = tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false)
            #expect(!plain.contains(where: tokenizer.isSpecial))
            #expect(tokenizer.decode(plain, skipSpecialTokens: true) == text)
        }
    }

    @Test(
        "unsupported values are refused by file and key",
        arguments: [
            ("\"type\":\"BPE\"", "\"type\":\"WordPiece\"", "expected \"BPE\" or \"Unigram\", found \"WordPiece\""),
            ("\"dropout\":null", "\"dropout\":0.5", "model.dropout: expected null, found 0.5"),
            (
                "\"end_of_word_suffix\":null", "\"end_of_word_suffix\":\"</w>\"",
                "model.end_of_word_suffix: expected null, found \"</w>\""
            ),
            ("\"normalizer\":null", "\"normalizer\":{\"type\":\"BertNormalizer\"}", "found \"BertNormalizer\""),
            ("\"type\":\"Digits\"", "\"type\":\"UnicodeScripts\"", "found \"UnicodeScripts\""),
            (
                "\"post_processor\":null", "\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"x\",9999]}",
                "post_processor.cls: expected an array, found nothing"
            ),
            (
                "\"decoder\":{\"type\":\"ByteLevel\"", "\"decoder\":{\"type\":\"CTC\"",
                "or \"Sequence\", found \"CTC\""
            ),
            (
                "\"unk_token\":null", "\"unk_token\":\"none\"",
                "model.unk_token: expected null or a token of the vocabulary, found \"none\""
            ),
            ("[\"Ġ\",\"t\"]", "[\"Ġ\",\"nothere\"]", "expected tokens of the vocabulary, found \"nothere\""),
            (
                "\"<|im_end|>\":2", "\"<|im_end|>\":99999999999",
                "model.vocab[\"<|im_end|>\"]: expected an id from 0 to 16777215, found 99999999999"
            ),
        ])
    func refusals(from: String, to: String, message: String) throws {
        let source = String(
            decoding: try Data(contentsOf: URL(filePath: Fixture.path("smollm2.tokenizer.json"))), as: UTF8.self)
        let changed = source.replacing(from, with: to)
        try #require(changed != source)
        let error = #expect(throws: TokenizationError.self) {
            _ = try TokenizerPipeline(tokenizerJSON: changed.utf8)
        }
        let description = try #require(error).description
        #expect(description.hasPrefix("tokenizer.json: ") && description.hasSuffix(message), "\(description)")
    }

    @Test("a split pattern that cannot be compiled is refused by its position")
    func malformedPattern() throws {
        let source = String(
            decoding: try Data(contentsOf: URL(filePath: Fixture.path("qwen2.tokenizer.json"))), as: UTF8.self)
        let changed = source.replacing(#"\\p{N}|"#, with: #"\\p{Nothing}|"#)
        try #require(changed != source)
        #expect(
            throws: TokenizationError.unsupportedPattern(
                file: "tokenizer.json", key: "pre_tokenizer.pretokenizers[0].pattern.Regex", position: 54,
                reason: "unknown property \\p{Nothing}")
        ) { try TokenizerPipeline(tokenizerJSON: changed.utf8) }
    }

    @Test(
        "text that is not JSON is refused by byte",
        arguments: [
            "", "{", "[1,]", "{\"a\":1,}", "nul", "\"\\ud800\"", "01", "1.", "\"\u{1}\"", "{\"a\" 1}", "[] []",
            String(repeating: "[", count: 100_000),
        ])
    func malformedJSON(text: String) {
        #expect(throws: TokenizationError.self) { try TokenizerPipeline(tokenizerJSON: text.utf8) }
        #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test("a pre-tokenizer with a hundred thousand steps is refused")
    func manyCuts() throws {
        let source = """
            {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "decoder": {"type": "ByteLevel"}, "pre_tokenizer":
            {"type": "Sequence", "pretokenizers": [CUTS{"type": "ByteLevel", "add_prefix_space": false}]}}
            """
        func tokenizer(cuts: Int) throws -> TokenizerPipeline {
            let cuts = String(repeating: #"{"type": "Digits"}, "#, count: cuts)
            return try TokenizerPipeline(tokenizerJSON: source.replacing("CUTS", with: cuts).utf8)
        }
        #expect(try tokenizer(cuts: 30).encode("a", addSpecialTokens: false, parseSpecialTokens: false) == [0])
        let error = #expect(throws: TokenizationError.self) { try tokenizer(cuts: 100_000) }
        #expect(try #require(error).description.contains("pre_tokenizer: expected at most 32 steps"))
    }

    @Test("an unknown pre-tokenizer is refused with the known ones")
    func unknownPre() throws {
        let vocabulary = GGUFVocabulary(model: "gpt2", pre: "nothing", tokens: ["a"], tokenTypes: [1], merges: [])
        let error = #expect(throws: TokenizationError.self) { try TokenizerPipeline(vocabulary: vocabulary) }
        let text = try #require(error).description
        #expect(text.hasPrefix("GGUF: tokenizer.ggml.pre: expected one of") && text.hasSuffix("found \"nothing\""))
        #expect(text.contains("\"tekken\"") && text.contains("\"deepseek-llm\""))
    }

    @Test("Llama 3's vocabulary puts its first token before a text, unless the file says otherwise")
    func firstToken() throws {
        func tokens(_ pre: String, addBOS: Bool?) throws -> [Int32] {
            let vocabulary = GGUFVocabulary(
                model: "gpt2", pre: pre, tokens: ["a", "<s>"], tokenTypes: [1, 3], merges: [], bosID: 1, addBOS: addBOS)
            return try TokenizerPipeline(vocabulary: vocabulary)
                .encode("a", addSpecialTokens: true, parseSpecialTokens: false)
        }
        #expect(try tokens("llama-bpe", addBOS: nil) == [1, 0] && tokens("llama-bpe", addBOS: false) == [0])
        #expect(try tokens("smollm", addBOS: nil) == [0] && tokens("smollm", addBOS: true) == [1, 0])
    }

    @Test("a missing file and an unknown GGUF kind are named")
    func otherErrors() {
        #expect(throws: TokenizationError.self) {
            try TokenizerPipeline(tokenizerJSONPath: "/nowhere/tokenizer.json")
        }
        let vocabulary = GGUFVocabulary(model: "rwkv", pre: "default", tokens: ["a"], tokenTypes: [1], merges: [])
        #expect(
            throws: TokenizationError.unsupported(
                file: "x.gguf", key: "tokenizer.ggml.model", expected: "\"gpt2\", \"llama\", \"gemma4\" or \"t5\"",
                found: "\"rwkv\"")
        ) { try TokenizerPipeline(vocabulary: vocabulary, file: "x.gguf") }
    }
}
