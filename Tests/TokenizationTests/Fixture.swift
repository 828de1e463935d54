import FoundationEssentials
import JSON
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
