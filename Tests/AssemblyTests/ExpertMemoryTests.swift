import EngineConfig
import Logging
import Testing

@testable import Assembly

/// Where `model.expert_memory` has no effect, or no sense.
@Suite struct ExpertMemoryTests {
    private func configuration(_ model: ModelDirectory, _ value: String) throws -> EngineConfiguration {
        try EngineConfiguration.parse(
            "model: {path: \(model.path), expert_memory: \(value)}\nbackend: {name: reference}\ncache: {num_blocks: 8}",
            file: "test.yaml")
    }

    private func load(_ model: ModelDirectory, _ value: String, _ log: LogLines) throws -> LoadedModel {
        let configuration = try configuration(model, value)
        let catalog = try PluginCatalog.builtin()
        return try LoadedModel(
            catalog.checkpoint(of: configuration), configuration, catalog: catalog, logger: log.logger,
            progress: { _ in })
    }

    @Test(arguments: ["-1", "many", "[1]", "1e30"])
    func aNonsensicalBudgetIsNamed(value: String) throws {
        let model = try ModelDirectory("mixtral", in: "families")
        let error = #expect(throws: ConfigurationError.self) { try configuration(model, value) }
        #expect(try #require(error).description.contains("model.expert_memory"))
    }

    @Test func aModelWithoutExpertsHasNoUseForIt() throws {
        let error = #expect(throws: AssemblyError.self) {
            try load(try ModelDirectory("llama-bf16"), "1MiB", LogLines())
        }
        let description = try #require(error).description
        #expect(
            description.contains("model.expert_memory") && description.contains("a model with experts"),
            "\(description)")
    }

    @Test func theHostsMemoryHasNoUseForIt() throws {
        let log = LogLines()
        let loaded = try load(try ModelDirectory("mixtral", in: "families"), "1KiB", log)
        #expect(loaded.memory.hostWeightsByteCount == 0)
        #expect(log.all.contains { $0.hasPrefix("warning: model.expert_memory has no effect: ") }, "\(log.all)")
    }

    @Test func inspectSaysWhatStaysInTheHostsMemory() throws {
        let model = try ModelDirectory("mixtral", in: "families")
        let path = model.path + "/model.gguf"
        let report = try ModelReport(
            try EngineConfiguration.parse("model: {path: \(path), expert_memory: 8KiB}", file: "test.yaml"),
            catalog: PluginCatalog.builtin())
        #expect(report.description.contains("in the host's memory beside a card (model.expert_memory)"), "\(report)")
    }
}
