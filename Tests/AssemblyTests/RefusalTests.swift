import EngineConfig
import FoundationEssentials
import Logging
import Testing

@testable import Assembly

/// The errors and warnings of a model that cannot be used, or not completely.
@Suite struct RefusalTests {
    private func refusal(_ model: ModelDirectory) throws -> String {
        let error = #expect(throws: AssemblyError.self) {
            try PluginCatalog.builtin().plan(of: model.configuration())
        }
        return try #require(error).description
    }

    @Test func anotherArchitectureIsNamedAndNoneIsSuggested() throws {
        let model = try ModelDirectory("llama-bf16")
        try model.replace(#""llama""#, with: #""lama""#, in: "config.json")
        let description = try refusal(model)
        #expect(
            description.hasPrefix(
                "\(model.path)/config.json: model_type lama is not supported yet (supported: apertus, arcee, "))
        #expect(description.hasSuffix(", stablelm, starcoder2)"))
    }

    /// A Qwen2 renamed: its biases would be left out.
    @Test func biasesThatNobodyReadsAreRefused() throws {
        let model = try ModelDirectory("llama-bias")
        try model.replace(#""attention_bias": true"#, with: #""attention_bias": false"#, in: "config.json")
        #expect(
            try refusal(model).contains(
                "tensor model.layers.0.self_attn.k_proj.bias is a bias that the model has no use for"))
    }

    @Test func aMissingOutputMatrixIsNamed() throws {
        let model = try ModelDirectory("llama-mha-tied")
        try model.replace(#""tie_word_embeddings": true"#, with: #""tie_word_embeddings": false"#, in: "config.json")
        #expect(try refusal(model).hasSuffix("tensor lm_head.weight is missing"))
    }

    @Test func tensorsThatNobodyReadsAreLogged() throws {
        let model = try ModelDirectory("llama-bf16")
        try model.replace(#""num_hidden_layers": 2"#, with: #""num_hidden_layers": 1"#, in: "config.json")
        let log = LogLines()
        let configuration = try model.configuration("backend: {name: reference}\ncache: {num_blocks: 8}")
        let catalog = try PluginCatalog.builtin()
        _ = try LoadedModel(
            catalog.checkpoint(of: configuration), configuration, catalog: catalog, logger: log.logger,
            progress: { _ in })
        let warnings = log.all.filter { $0.hasPrefix("warning: ") }
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("has 9 tensors that the model does not use: model.layers.1.") == true)
    }

    @Test func aPointerInPlaceOfTheTokenizerIsNamed() throws {
        let model = try ModelDirectory("llama-bf16")
        try model.write(
            "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n", to: "tokenizer.json")
        let configuration = try model.configuration()
        let catalog = try PluginCatalog.builtin()
        let checkpoint = try catalog.checkpoint(of: configuration)
        let error = #expect(throws: AssemblyError.self) { try ServedModel.tokenizer(checkpoint, configuration) }
        #expect(
            try #require(error).description
                == "\(model.path)/tokenizer.json is malformed: it is a Git LFS pointer, not the file itself; fetch that with "
                + "`git lfs pull`")
    }
}
