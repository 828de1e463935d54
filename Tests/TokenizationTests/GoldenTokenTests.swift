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
        let tokenizer = try TokenizerPipeline(vocabulary: try vocabulary(family, pre: pre))
        for golden in try #require(try Fixture.json("\(family).goldens.json")["cases"]).elements {
            let text = try #require(golden["text"]?.text)
            #expect(
                tokenizer.encode(text, addSpecialTokens: true, parseSpecialTokens: true) == golden["withSpecial"]?.ids)
            #expect(tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false) == golden["plain"]?.ids)
        }
        #expect(tokenizer.specialTokens == (try Fixture.tokenizer(family)).specialTokens)
    }

    private func vocabulary(_ family: String, pre: String) throws -> GGUFVocabulary {
        let file = try Fixture.json("\(family).tokenizer.json")
        guard case .object(let entries)? = file["model"]?["vocab"] else { throw Missing.vocabulary }
        let added = try #require(file["added_tokens"]).elements
        let size =
            try #require((entries.members.map(\.value) + added.compactMap { $0["id"] }).compactMap(\.integer).max()) + 1
        var tokens = [String](repeating: "", count: size)
        var types = [Int32](repeating: 5, count: size)
        for member in entries.members {
            let id = try #require(member.value.integer)
            tokens[id] = member.key
            types[id] = 1
        }
        for token in added {
            let id = try #require(token["id"]?.integer)
            tokens[id] = try #require(token["content"]?.text)
            types[id] = 3
        }
        let merges = try #require(file["model"]?["merges"]).elements.map { merge in
            merge.text ?? merge.elements.compactMap(\.text).joined(separator: " ")
        }
        let bos = tokens.firstIndex(of: "<|begin_of_text|>").map { TokenID($0) }
        return GGUFVocabulary(
            model: "gpt2", pre: pre, tokens: tokens, tokenTypes: types, merges: merges, bosID: bos, addBOS: bos != nil)
    }

    private enum Missing: Error { case vocabulary }
}
