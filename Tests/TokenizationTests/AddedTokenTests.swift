import JSON
import Testing
import Tokenization

/// Compares with the goldens of `Fixtures/make_added_tokens.py`.
@Suite("Added tokens are found as tokenizers finds them")
struct AddedTokenTests {
    @Test("added tokens with all flags match as in tokenizers, beside and inside one another")
    func goldens() throws {
        let sets = try #require(try Fixture.json("added_tokens.goldens.json")["sets"]).elements
        #expect(sets.count == 25)
        for set in sets {
            let tokens = try #require(set["tokens"]).elements
            let named = tokens.map { token in
                func flag(_ name: String) -> Bool { token[name] == .bool(true) }
                return NamedToken(
                    token["content"]?.text ?? "", isSpecial: flag("special"), stripsLeft: flag("lstrip"),
                    stripsRight: flag("rstrip"), isSingleWord: flag("single_word"), isNormalized: flag("normalized"))
            }
            let path = Fixture.path("\(set["family"]?.text ?? "").tokenizer.json")
            let tokenizer = try TokenizerPipeline(tokenizerJSONPath: path, adding: named)
            for golden in try #require(set["texts"]).elements {
                let text = try #require(golden["text"]?.text)
                #expect(
                    tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: true) == golden["parsed"]?.ids,
                    "\(text.debugDescription) \(tokens)")
                #expect(
                    tokenizer.encode(text, addSpecialTokens: false, parseSpecialTokens: false) == golden["plain"]?.ids,
                    "\(text.debugDescription) \(tokens)")
            }
        }
    }

    @Test("added tokens decode to their texts, and special ones are known as such")
    func decoding() throws {
        let tokenizer = try TokenizerPipeline(
            tokenizerJSONPath: Fixture.path("smollm2.tokenizer.json"),
            adding: [NamedToken("<tool>", isSpecial: false), NamedToken("<pad>", isSpecial: true)])
        #expect(tokenizer.vocabularySize == 642)
        #expect(tokenizer.decode([640, 641], skipSpecialTokens: false) == "<tool><pad>")
        #expect(tokenizer.decode([640, 641], skipSpecialTokens: true) == "<tool>")
        #expect(tokenizer.specialTokens["<pad>"] == 641 && tokenizer.specialTokens["<tool>"] == nil)
    }
}
