import JSON
import Testing
import Tokenization

@Suite("Tokens equal those of Hugging Face's tokenizers")
struct GoldenTokenTests {
    @Test("every text has the same ids, and the ids decode to the same text", arguments: Fixture.families)
    func encoding(family: String) throws {
        let tokenizer = try Fixture.tokenizer(family)
        let goldens = try Fixture.json("\(family).goldens.json")
        let cases = try #require(goldens["cases"]).elements
        #expect(cases.count > 100)
        for golden in cases {
            let text = try #require(golden["text"]?.text)
            #expect(
                tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: true) == golden["parsed"]?.ids,
                "\(text.debugDescription)")
            #expect(
                tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false) == golden["plain"]?.ids,
                "\(text.debugDescription)")
            let ids = tokenizer.encode(text, addSpecialTokens: true, parseSpecialTokens: true)
            #expect(ids == golden["withSpecial"]?.ids, "\(text.debugDescription)")
            #expect(tokenizer.decode(ids, skipSpecialTokens: false).scalars == golden["decoded"]?.text?.scalars)
            #expect(
                tokenizer.decode(ids, skipSpecialTokens: true).scalars == golden["decodedWithoutSpecial"]?.text?.scalars
            )
        }
    }

    @Test("any ids decode to the same text, including parts of characters and unknown ids", arguments: Fixture.families)
    func decoding(family: String) throws {
        let tokenizer = try Fixture.tokenizer(family)
        let goldens = try #require(try Fixture.json("\(family).goldens.json")["looseDecodes"]).elements
        #expect(goldens.count > 100)
        for golden in goldens {
            let ids = try #require(golden["ids"]).ids
            #expect(
                tokenizer.decode(ids, skipSpecialTokens: false).scalars == golden["decoded"]?.text?.scalars, "\(ids)")
            #expect(
                tokenizer.decode(ids, skipSpecialTokens: true).scalars
                    == golden["decodedWithoutSpecial"]?.text?.scalars,
                "\(ids)")
            for skips in [false, true] {
                var detokenizer = IncrementalDetokenizer(
                    tokenizer: tokenizer, skipSpecialTokens: skips, startsText: true)
                var pieces = ids.map { detokenizer.append($0) }
                pieces.append(detokenizer.finish())
                #expect(
                    pieces.joined().scalars == tokenizer.decode(ids, skipSpecialTokens: skips).scalars, "\(ids)")
            }
        }
    }

    @Test(
        "a GGUF vocabulary has the ids of the tokenizer.json from which it was made",
        arguments: [
            ("smollm2", "smollm"), ("llama3", "llama-bpe"),
        ])
    func gguf(family: String, pre: String) throws {
        var vocabulary = try Fixture.vocabulary(of: try Fixture.json("\(family).tokenizer.json"), pre: pre)
        // Merges whose tokens the file lacks have no effect.
        vocabulary.merges.insert(contentsOf: ["t nothere", "nothere t", "zz zzz"], at: 3)
        let tokenizer = try TokenizerPipeline(vocabulary: vocabulary)
        for golden in try #require(try Fixture.json("\(family).goldens.json")["cases"]).elements {
            let text = try #require(golden["text"]?.text)
            #expect(
                tokenizer.encode(text, addSpecialTokens: true, parseSpecialTokens: true) == golden["withSpecial"]?.ids)
            #expect(tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false) == golden["plain"]?.ids)
        }
        #expect(tokenizer.specialTokens == (try Fixture.tokenizer(family)).specialTokens)
    }
}
