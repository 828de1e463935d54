import InferenceEngine
import JSON
import Requests
import Synchronization
import Testing

@testable import OpenAIServer

@Suite struct AdapterTests {
    private func service(allowsLoading: Bool = true) -> ScriptedService {
        let service = ScriptedService("abc")
        service.scriptedAdapters.withLock { $0 = ["german": AdapterID(7)] }
        service.allowsLoading.withLock { $0 = allowsLoading }
        return service
    }

    @Test func `adapters are models whose parent is the base, and requests name them`() async throws {
        let service = service()
        try await TestServer.run(service) { server async throws in
            let models = try await server.get("/v1/models").json
            #expect(models.at("data.0.id") == "scripted")
            #expect(models.at("data.0.parent") == nil)
            #expect(models.at("data.1.id") == "german")
            #expect(models.at("data.1.parent") == "scripted")
            #expect(models.at("data.1.root") == "german")
            #expect(models.at("data.1.created") == 1_700_000_001)
            #expect(try await server.get("/v1/models/german").json == models.at("data.1"))
            #expect(try await server.get("/v1/models/french").status == 404)
            let answer = try await server.post(
                "/v1/completions", #"{"model": "german", "prompt": "x", "max_tokens": 2}"#)
            #expect(try answer.json.at("model") == "german")
            let base = try await server.post(
                "/v1/completions", #"{"model": "scripted", "prompt": "x", "max_tokens": 2}"#)
            #expect(try base.json.at("model") == "scripted")
            #expect(service.requests.map(\.attributes.adapter) == [AdapterID(7), nil])
            let unknown = try await server.post("/v1/completions", #"{"model": "french", "prompt": "x"}"#)
            #expect(unknown.status == 404)
            #expect(try unknown.json.at("error.code") == "model_not_found")
        }
    }

    @Test func `adapters are loaded and unloaded with vLLM's statuses and sentences`() async throws {
        try await TestServer.run(service()) { server async throws in
            func load(_ body: String) async throws -> TestResponse {
                try await server.post("/v1/load_lora_adapter", body)
            }
            func unload(_ body: String) async throws -> TestResponse {
                try await server.post("/v1/unload_lora_adapter", body)
            }
            let french = #"{"lora_name": "french", "lora_path": "/adapters/french"}"#
            var response = try await load(french)
            #expect(response.status == 200)
            #expect(response.body == "Success: LoRA adapter 'french' added successfully.")
            response = try await load(french)
            #expect(response.status == 400)
            #expect(try response.json.at("error.message") == "The lora adapter 'french' has already been loaded.")
            #expect(try response.json.at("error.type") == "InvalidUserInput")
            for body in [
                "{}", #"{"lora_name": "x"}"#, #"{"lora_path": "/x"}"#, #"{"lora_name": "", "lora_path": "/x"}"#,
            ] {
                response = try await load(body)
                #expect(response.status == 400)
                #expect(
                    try response.json.at("error.message") == "Both 'lora_name' and 'lora_path' must be provided.")
            }
            #expect(try await load(#"{"lora_name": 1, "lora_path": "/x"}"#).status == 400)
            response = try await load(#"{"lora_name": "x", "lora_path": "/missing/x"}"#)
            #expect(response.status == 404)
            #expect(try response.json.at("error.type") == "NotFoundError")
            response = try await load(#"{"lora_name": "x", "lora_path": "/bad/x"}"#)
            #expect(response.status == 400)
            #expect(try response.json.at("error.type") == "BadRequestError")
            #expect(try await load(#"{"lora_name": "scripted", "lora_path": "/x"}"#).status == 400)
            // Other clients see no paths.
            #expect(!(try await server.get("/v1/models").body.contains("/adapters")))
            response = try await unload(#"{"lora_name": "french"}"#)
            #expect(response.status == 200)
            #expect(response.body == "Success: LoRA adapter 'french' removed successfully.")
            response = try await unload(#"{"lora_name": "french"}"#)
            #expect(response.status == 404)
            #expect(try response.json.at("error.message") == "The lora adapter 'french' cannot be found.")
            #expect(try await unload("{}").status == 400)
        }
    }

    @Test func `without runtime loading its routes do not exist`() async throws {
        let service = service(allowsLoading: false)
        try await TestServer.run(service) { server async throws in
            let body = #"{"lora_name": "x", "lora_path": "/x"}"#
            for path in ["/v1/load_lora_adapter", "/v1/unload_lora_adapter"] {
                let response = try await server.post(path, body)
                #expect(response.status == 404)
                #expect(try response.json.at("error.code") == "unknown_url")
            }
            #expect(try await server.get("/v1/models/german").status == 200)
        }
    }

    @Test func `an adapter that is unloaded under way is not found`() async throws {
        let service = ScriptedService(.answer([97], .length), error: .unknownAdapter)
        try await TestServer.run(service) { server async throws in
            let response = try await server.post("/v1/completions", #"{"prompt": "x"}"#)
            #expect(response.status == 404)
            #expect(try response.json.at("error.code") == "model_not_found")
        }
    }
}
