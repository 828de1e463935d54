import Testing

@testable import Comparison

@Suite("Texts and prompts")
struct InputsTests {
    @Test("what comes with Quire is enough for the default amounts")
    func builtIn() throws {
        let inputs = try ComparisonInputs(textFile: nil, promptsFile: nil)
        #expect(inputs.text.split(whereSeparator: \.isWhitespace).count > 3000)
        #expect(inputs.prompts.count == 24 && Set(inputs.prompts).count == 24)
    }

    @Test("prompts are lines, or objects in a .jsonl file")
    func formats() throws {
        #expect(try ComparisonInputs.prompts(in: "one\n\n  \r\n two\r\n", file: "p.txt") == ["one", " two"])
        let lines = "{\"prompt\": \"a\\nb\"}\n\n{\"id\": 3, \"prompt\": \"c\"}"
        #expect(try ComparisonInputs.prompts(in: lines, file: "p.JSONL") == ["a\nb", "c"])
        // Signs that end a line elsewhere are text here, as `json.dumps(…, ensure_ascii=False)` leaves them.
        for sign in ["\u{2028}", "\u{2029}", "\u{85}"] {
            #expect(
                try ComparisonInputs.prompts(in: "{\"prompt\": \"a\(sign)b\"}\r\n", file: "p.jsonl") == ["a\(sign)b"])
            #expect(try ComparisonInputs.prompts(in: "a\(sign)b\nc", file: "p.txt") == ["a\(sign)b", "c"])
        }
    }

    @Test(
        "what is wrong is named with file and line",
        arguments: [
            ("{\"prompt\": \"a\"}\n{\"prompt\": }", "p.jsonl:2: invalid JSON at byte 11: a value is expected"),
            ("{\"prompt\": \"a\"}\n\n[1]", "p.jsonl:3: expected an object with \"prompt\", found an array"),
            ("{\"Prompt\": \"a\"}", "p.jsonl:1: the object has no \"prompt\""),
            ("{\"prompt\": 7}", "p.jsonl:1: prompt: expected a string, found the integer 7"),
            ("{\"prompt\": \"\"}", "p.jsonl:1: prompt: the string is empty"),
            (String(repeating: "[", count: 100_000), "p.jsonl:1: invalid JSON at byte 128: nested more than 128 deep"),
            (" \n\n", "p.jsonl: there is no prompt in it"),
        ])
    func wrong(content: String, message: String) {
        do {
            _ = try ComparisonInputs.prompts(in: content, file: "p.jsonl")
            Issue.record("taken")
        } catch {
            #expect(error.description == message && error.isUserError)
        }
    }

    @Test("files that are missing, empty or not UTF-8")
    func files() throws {
        func message(text: String? = nil, prompts: String? = nil) -> String {
            do {
                _ = try ComparisonInputs(textFile: text, promptsFile: prompts)
                return "taken"
            } catch { return error.description }
        }
        let folder = try TemporaryFolder()
        #expect(message(text: "/nowhere/t.txt") == "/nowhere/t.txt: cannot be read")
        #expect(message(prompts: folder.path).hasSuffix(": cannot be read"))
        let bad = try folder.file("bad", Array("one\ntwo\nthr".utf8) + [0xC3, 0x28])
        #expect(message(text: bad) == "\(bad):3: not UTF-8" && message(prompts: bad) == "\(bad):3: not UTF-8")
        let empty = try folder.file("empty", " \n\t")
        #expect(message(text: empty) == "\(empty): the text is empty")
    }

    @Test("names are short, and different")
    func names() {
        #expect(
            ComparedConfiguration.names(of: ["a/x.yaml", "b/y.yml", "x.yaml", "b/y.yml", "z"]) == [
                "a/x.yaml", "y", "x.yaml", "y#2", "z",
            ])
        let files = ["a/x", "a_x", "a/x#2"].map { ComparedConfiguration(name: $0, path: $0).fileName }
        #expect(Set(files).count == 3 && files.allSatisfy { !$0.contains("/") && !$0.contains("#") })
    }

    @Test("digests tell contents, files and folders apart")
    func digests() throws {
        let texts = ["", "a", "b", "ab", "abcdefgh", "abcdefghi", String(repeating: "a", count: 100)]
        #expect(Set(texts.map { Digest.text(of: $0) }).count == texts.count)
        #expect(texts.allSatisfy { Digest.text(of: $0).count == 32 && Digest.text(of: $0) == Digest.text(of: $0) })
        let folder = try TemporaryFolder()
        let file = try folder.file("model", String(repeating: "weights", count: 20_000))
        let before = try #require(Digest.text(ofModel: folder.path))
        #expect(Digest.text(ofModel: folder.path) == before && Digest.text(ofModel: file) != before)
        _ = try folder.file("tokenizer", "t")
        let after = try #require(Digest.text(ofModel: folder.path))
        #expect(after != before)
        // A change of one byte in the middle, of the same length.
        _ = try folder.file(
            "model", String(repeating: "weights", count: 10_000) + String(repeating: "weighTs", count: 10_000))
        #expect(Digest.text(ofModel: folder.path) != after)
        #expect(Digest.text(ofModel: "/nowhere") == nil && Digest.text(ofFile: "/nowhere") == nil)
    }
}
