import Assembly
import Backends
import CVulkan
import ChatTemplates
import EngineConfig
import InferenceEngine
import Logging
import OpenAIServer
import Plugins
import Testing
import Tokenization

@testable import BackendVulkan

/// Responses of a server whose Vulkan device fails.
@Suite(.serialized) struct DeviceLossTests {
    private struct Service: CompletionService {
        let model: ServedModel
        let modelName = "tiny"
        let created = 0
        var maxModelLength: Int { model.engine.limits.maxModelLength }
        var tokenizer: any Tokenizer { model.tokenizer }
        var chatTemplates: ChatTemplateSet? { model.chatTemplates }
        var specialTokens: [String: String] { model.specialTokens }
        var endTokenIDs: [Int32] { model.endTokenIDs }

        func submit(
            _ request: GenerationRequest
        ) throws(EngineError) -> AsyncThrowingStream<GenerationEvent, any Error> {
            try model.engine.submit(request)
        }
    }

    /// Serves the smallest checkpoint on a device whose failures `body` controls.
    private static func run(
        _ body: @Sendable @escaping (TestServer, FaultInjector) async throws -> Void
    ) async throws {
        let checkpoint = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let configuration = try EngineConfiguration.parse(
            """
            model: {path: /\(checkpoint)/Goldens/checkpoints/llama-gqa-untied, max_model_len: 64}
            backend: {name: fragile}
            cache: {num_blocks: 16}
            """, file: "fragile.yaml")
        let faults = FaultInjector()
        var catalog = try PluginCatalog.builtin()
        try catalog.backends.register("fragile") { section in
            var options = VulkanOptions()
            options.device = section.device
            return try VulkanBackend(options, faults: faults)
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let model = try ServedModel(
            configuration, catalog: catalog, metrics: PrometheusMetrics(), logger: logger)
        defer { model.engine.stop() }
        try await TestServer.run(Service(model: model)) { try await body($0, faults) }
    }

    private static func body(_ extra: String = "") -> String {
        #"{"model": "tiny", "prompt": [5, 6, 7, 8], "max_tokens": 12, "temperature": 0, "ignore_eos": true\#(extra)}"#
    }

    @Test("a lost device is 503 with the reason for its requests; the next request finds it opened again")
    func loss() async throws {
        try await Self.run { server, faults in
            let before = try await server.post("/v1/completions", Self.body())
            #expect(before.status == 200)
            faults.fail(.submit, with: VK_ERROR_DEVICE_LOST)
            let failed = try await server.post("/v1/completions", Self.body())
            #expect(failed.status == 503)
            #expect(try failed.json.at("error.message").text.contains("VK_ERROR_DEVICE_LOST"), "\(failed.body)")
            #expect(try await server.get("/health").status == 200)
            faults.clear()
            let after = try await server.post("/v1/completions", Self.body())
            #expect(after.status == 200)
            #expect(try after.json.at("choices.0.text").text == before.json.at("choices.0.text").text)
            #expect(try after.json.at("choices.0.text").text != "")
        }
    }

    @Test("a stream that the loss cuts short ends with the reason")
    func stream() async throws {
        try await Self.run { server, faults in
            faults.fail(.submit, after: 5, with: VK_ERROR_DEVICE_LOST)
            let cut = try await server.post("/v1/completions", Self.body(#", "stream": true"#))
            #expect(cut.status == 200)
            #expect(cut.events.count > 2 && cut.events.count < 12, "\(cut.body)")
            #expect(cut.events.contains { $0.contains("VK_ERROR_DEVICE_LOST") }, "\(cut.body)")
            faults.clear()
            let after = try await server.post("/v1/completions", Self.body(#", "stream": true"#))
            #expect(after.events.count >= 13 && !after.events.contains { $0.contains("error") }, "\(after.body)")
        }
    }

    @Test("while the device has no memory to be opened again, requests are told so, and later it is")
    func noMemoryToReopen() async throws {
        try await Self.run { server, faults in
            faults.fail(.submit, with: VK_ERROR_DEVICE_LOST)
            #expect(try await server.post("/v1/completions", Self.body()).status == 503)
            faults.fail(.allocate, with: VK_ERROR_OUT_OF_DEVICE_MEMORY)
            for _ in 0..<2 {
                let refused = try await server.post("/v1/completions", Self.body())
                #expect(refused.status == 503)
                #expect(try refused.json.at("error.message").text.contains("memory"), "\(refused.body)")
            }
            faults.clear()
            #expect(try await server.post("/v1/completions", Self.body()).status == 200)
        }
    }

    @Test("memory that runs out in a step fails that step's requests only")
    func outOfMemory() async throws {
        try await Self.run { server, faults in
            faults.fail(.submit, with: VK_ERROR_OUT_OF_HOST_MEMORY)
            let failed = try await server.post("/v1/completions", Self.body())
            #expect(failed.status == 503)
            #expect(try failed.json.at("error.message").text.contains("VK_ERROR_OUT_OF_HOST_MEMORY"), "\(failed.body)")
            faults.clear()
            #expect(try await server.post("/v1/completions", Self.body()).status == 200)
        }
    }
}
