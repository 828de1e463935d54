import Adapters
import CoreMetrics
import EngineConfig
import FoundationEssentials
import InferenceEngine
import Requests
import Testing

@testable import Assembly

/// Adapters of a configuration, and of a server that runs.
@Suite struct AdapterTests {
    private let goldens = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Goldens/adapters").path

    private func served(_ lora: String, usesAdapter: Bool = false) throws -> ServedModel {
        let model = try ModelDirectory("llama-gqa-untied")
        let configuration = try model.configuration(
            "backend: {name: cpu, threads: 1}\ncache: {num_blocks: 16, dtype: f32}\nlora: {\(lora)}\n")
        return try ServedModel(
            configuration, catalog: .builtin(), metrics: NOOPMetricsHandler.instance, logger: LogLines().logger,
            usesAdapter: usesAdapter)
    }

    private func tokens(_ model: ServedModel, _ adapter: AdapterID? = nil) async throws -> [Int32] {
        var request = GenerationRequest(prompt: [5, 9, 30, 44])
        request.sampling.temperature = 0
        request.sampling.maxTokens = 12
        request.attributes.adapter = adapter
        var tokens: [Int32] = []
        for try await event in try model.engine.submit(request) {
            if case .output(let output) = event { tokens += output.tokens }
        }
        return tokens
    }

    @Test func aConfigurationsAdaptersAreServedAndOneIsUsedByCommands() async throws {
        let adapters = "adapters: {one: \(goldens)/llama-gqa-untied}, max_lora_rank: 2"
        let model = try served("\(adapters), use: one")
        defer { model.engine.stop() }
        let one = try #require(model.adapters?["one"])
        let (base, adapted) = (try await tokens(model), try await tokens(model, one))
        #expect(base != adapted)
        let command = try served("\(adapters), use: one", usesAdapter: true)
        defer { command.engine.stop() }
        #expect(try await tokens(command) == adapted)
        let plain = try served("")
        defer { plain.engine.stop() }
        #expect(plain.adapters == nil)
        #expect(try await tokens(plain) == base)
    }

    @Test func adaptersAreLoadedAndUnloadedWhileItServes() async throws {
        let model = try served("allow_runtime_loading: true, max_lora_rank: 2")
        defer { model.engine.stop() }
        let adapters = try #require(model.adapters)
        #expect(adapters.list == [])
        try adapters.load("one", path: goldens + "/llama-gqa-untied")
        let one = try #require(adapters["one"])
        let adapted = try await tokens(model, one)
        #expect(throws: LoadedAdapters.Failure.nameTaken) { try adapters.load("one", path: goldens) }
        for (path, part) in [
            ("/phi3", "down_proj.lora_A.weight has shape [2, 48]"), ("/llama", "lora.max_lora_rank"),
            ("/none", "nothing is there"),
        ] {
            let failure = #expect(throws: LoadedAdapters.Failure.self) {
                try adapters.load("two", path: goldens + path)
            }
            #expect(try #require(failure).description.contains(part))
        }
        try adapters.unload("one")
        #expect(adapters["one"] == nil && adapters.list == [])
        #expect(throws: LoadedAdapters.Failure.unknownName) { try adapters.unload("one") }
        try adapters.load("one", path: goldens + "/llama-gqa-untied")
        let again = try #require(adapters["one"])
        #expect(again != one)
        #expect(try await tokens(model, again) == adapted)
    }

    @Test func namesThatCannotBeServedAreErrorsOfTheConfiguration() throws {
        for (lora, part) in [
            ("adapters: {one: /nothing}", "lora.adapters: one: /nothing is no adapter"),
            ("adapters: {one: /nothing}, use: two", "lora.use"),
        ] {
            do {
                _ = try served(lora)
                Issue.record("\(lora) is served")
            } catch { #expect("\(error)".contains(part), "\(error)") }
        }
    }
}
