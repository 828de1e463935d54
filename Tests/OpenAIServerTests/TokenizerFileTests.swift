import Assembly
import ChatTemplates
import CoreMetrics
import EngineConfig
import FoundationEssentials
import InferenceEngine
import JSON
import Logging
import Plugins
import Testing
import Tokenization

/// Compares the reading of files beside `tokenizer.json` with goldens that `Goldens/make_tokenizer_files.py` made with
/// transformers.
@Suite struct TokenizerFileTests {
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    private static let cases = Result {
        let data = try Data(contentsOf: tests.appending(path: "Goldens/tokenizer_files.json"))
        return try JSONParser.parse(Array(data)).at("cases")
    }

    /// Runs `body` with the smallest checkpoint after `files` are added to its directory.
    private func withModel(_ files: JSONObject, _ body: (ServedModel) throws -> Void) throws {
        let manager = FileManager.default
        let directory = manager.temporaryDirectory.appending(path: "tokenizer-\(UUID().uuidString)")
        try manager.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? manager.removeItem(at: directory) }
        let checkpoint = Self.tests.appending(path: "Goldens/checkpoints/llama-gqa-untied")
        for name in try manager.contentsOfDirectory(atPath: checkpoint.path) where name != "goldens.json" {
            try manager.createSymbolicLink(
                at: directory.appending(path: name), withDestinationURL: checkpoint.appending(path: name))
        }
        for file in files.members {
            let path = directory.appending(path: file.key)
            try manager.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(file.value.text.utf8).write(to: path)
        }
        let configuration = try EngineConfiguration.parse(
            """
            model: {path: \(directory.path), max_model_len: 64}
            backend: {name: reference}
            cache: {num_blocks: 16}
            """, file: "files.yaml")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let model = try ServedModel(
            configuration, catalog: try PluginCatalog.builtin(), metrics: NOOPMetricsHandler.instance, logger: logger)
        defer { model.engine.stop() }
        try body(model)
    }

    private func rendered(_ model: ServedModel, tools: JSONValue?) throws -> String? {
        guard let template = model.chatTemplates?.template(hasTools: tools != nil) else { return nil }
        return try template.render(
            messages: [template.message(role: "user", text: "hi")], addGenerationPrompt: false,
            extra: tools.map { ["tools": $0] } ?? [:], specialTokens: model.specialTokens)
    }

    @Test func `tokens, special tokens, end tokens and templates are those of transformers`() throws {
        guard case .array(let cases) = try Self.cases.get() else { throw TestFailure("no cases") }
        #expect(cases.count > 20)
        for golden in cases {
            guard case .object(let files) = golden.at("files") else { throw TestFailure("no files") }
            let name = golden.at("name").text
            try withModel(files) { model in
                guard case .array(let texts) = golden.at("texts"),
                    case .object(let special) = golden.at("special_tokens")
                else { throw TestFailure("no texts") }
                for text in texts {
                    let ids = model.tokenizer.encode(
                        text.at("text").text, addSpecialTokens: false, parseSpecialTokens: true)
                    #expect(JSONValue(ids) == text.at("ids"), "\(name): \(text.at("text").text)")
                }
                #expect(
                    model.specialTokens == special.members.reduce(into: [:]) { $0[$1.key] = $1.value.text }, "\(name)")
                // config.json of the checkpoint ends at token 2.
                let end: [Int32] = if case .integer(let id) = golden.at("end"), id != 2 { [2, Int32(id)] } else { [2] }
                #expect(model.endTokenIDs == end, "\(name)")
                let tools: JSONValue = [["type": "function"]]
                let runs: [(String, JSONValue?)] = [("plain", Optional.none), ("with_tools", tools)]
                for (key, tools) in runs {
                    let expected = golden.at(key).at("text")
                    #expect(JSONValue(try rendered(model, tools: tools)) == expected, "\(name)")
                }
            }
        }
    }
}
