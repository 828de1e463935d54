import FoundationEssentials
import JSON
import Testing
import Tokenization

/// Files that `Fixtures/make_fixtures.py` wrote.
enum Fixture {
    static func path(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name)").path
    }

    static func json(_ name: String) throws -> JSONValue {
        try JSONParser.parse(Array(try Data(contentsOf: URL(filePath: path(name)))))
    }

    static func tokenizer(_ family: String) throws -> TokenizerPipeline {
        try TokenizerPipeline(tokenizerJSONPath: path("\(family).tokenizer.json"))
    }

    /// The vocabulary of a byte-level BPE as a GGUF file has it. `file`: a tokenizer.json.
    static func vocabulary(of file: JSONValue, pre: String) throws -> GGUFVocabulary {
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
            types[id] = token["special"] == .bool(true) ? 3 : 4
        }
        let merges = try #require(file["model"]?["merges"]).elements.map { merge in
            merge.text ?? merge.elements.compactMap(\.text).joined(separator: " ")
        }
        let bos = tokens.firstIndex(of: "<|begin_of_text|>").map { TokenID($0) }
        return GGUFVocabulary(
            model: "gpt2", pre: pre, tokens: tokens, tokenTypes: types, merges: merges, bosID: bos, addBOS: bos != nil)
    }

    private enum Missing: Error { case vocabulary }

    static let families = ["smollm2", "llama3", "qwen2"]
}

extension JSONValue {
    var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var integer: Int? { if case .integer(let int) = self { int } else { nil } }
    var ids: [TokenID] { elements.compactMap { $0.integer.map { TokenID($0) } } }
}

extension String {
    /// The scalars. Unlike strings, they differ for canonically equivalent texts.
    var scalars: [UInt32] { unicodeScalars.map(\.value) }
}
