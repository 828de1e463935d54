import JSON
import Testing

@testable import OpenAIServer

@Suite struct EndpointTests {
    @Test func `models, health, ping and version respond`() async throws {
        try await TestServer.run(ScriptedService("x"), options: { $0.version = "1.2.3" }) { server async throws in
            let models = try await server.get("/v1/models").json
            #expect(models.at("object") == "list")
            #expect(models.at("data.0.id") == "scripted")
            #expect(models.at("data.0.object") == "model")
            #expect(models.at("data.0.created") == 1_700_000_000)
            #expect(models.at("data.0.max_model_len") == 64)
            #expect(try await server.get("/v1/models/scripted").json == models.at("data.0"))
            #expect(try await server.get("/v1/models/scr%69pted").status == 200)
            for path in ["/health", "/ping"] {
                let response = try await server.get(path)
                #expect(response.status == 200)
                #expect(response.body.isEmpty)
            }
            #expect(try await server.post("/ping", "").status == 200)
            #expect(try await server.get("/version").json == ["version": "1.2.3"])
        }
    }

    @Test func `tokenize and detokenize are inverse`() async throws {
        try await TestServer.run(ScriptedService("x")) { server async throws in
            let response = try await server.post(
                "/tokenize", #"{"prompt": "aé<|im_end|>", "return_token_strs": true}"#)
            let json = try response.json
            #expect(json.at("count") == 4)
            #expect(json.at("max_model_len") == 64)
            #expect(json.at("tokens") == [97, 0xC3, 0xA9, 257])
            #expect(json.at("token_strs") == ["a", "\u{FFFD}", "\u{FFFD}", "<|im_end|>"])
            let plain = try await server.post("/tokenize", #"{"prompt": ""}"#).json
            #expect(plain == ["count": 0, "max_model_len": 64, "tokens": [], "token_strs": nil])
            let back = try await server.post("/detokenize", #"{"tokens": [97, 195, 169, 257]}"#)
            #expect(try back.json == ["prompt": "aé<|im_end|>"])
            for body in ["{}", #"{"tokens": "a"}"#, #"{"tokens": [258]}"#, #"{"tokens": [-1]}"#] {
                #expect(try await server.post("/detokenize", body).status == 400)
            }
            #expect(try await server.post("/tokenize", "{}").json.at("error.param") == "prompt")
        }
    }

    @Test func `a key is needed for the model's routes and unknown ones, not for health and metrics`() async throws {
        try await TestServer.run(ScriptedService("x"), options: { $0.apiKey = APIKey("sesame") }) {
            server async throws in
            for headers in [
                "", "Authorization: Bearer sesam\r\n", "Authorization: Bearer sesamesesame\r\n",
                "Authorization: sesame\r\n", "Authorization: Bearer \r\n",
            ] {
                for path in ["/v1/models", "/v1/models/scripted", "/v1/other", "//v1/models", "/v1/completions"] {
                    let response = try await server.get(path, headers: headers)
                    #expect(response.status == 401, "\(path) with '\(headers)'")
                    #expect(try response.json.at("error.code") == "invalid_api_key")
                }
                for path in ["/v1/completions", "/v1/chat/completions", "/tokenize", "/detokenize"] {
                    #expect(try await server.post(path, "{}", headers: headers).status == 401)
                }
                for path in ["/health", "/metrics", "/version"] {
                    #expect(try await server.get(path, headers: headers).status == 200)
                }
            }
            for headers in ["Authorization: Bearer sesame\r\n", "authorization: bearer sesame\r\n"] {
                #expect(try await server.get("/v1/models", headers: headers).status == 200)
                #expect(try await server.post("/v1/completions", #"{"prompt": "a"}"#, headers: headers).status == 200)
            }
        }
    }

    @Test func `requests are counted by method, known path and status`() async throws {
        try await TestServer.run(ScriptedService("x")) { server async throws in
            _ = try await server.get("/health")
            _ = try await server.get("/health")
            _ = try await server.get("/made/up")
            _ = try await server.get("/v1/models/any")
            _ = try await server.post("/v1/completions", "{")
            let response = try await server.get("/metrics")
            #expect(response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let lines = response.body.split(separator: "\n")
            #expect(lines.contains("# TYPE http_requests_total counter"))
            #expect(lines.contains(#"http_requests_total{method="GET",path="/health",status="200"} 2"#))
            #expect(lines.contains(#"http_requests_total{method="GET",path="other",status="404"} 1"#))
            #expect(lines.contains(#"http_requests_total{method="GET",path="/v1/models/{model}",status="404"} 1"#))
            #expect(lines.contains(#"http_requests_total{method="POST",path="/v1/completions",status="400"} 1"#))
        }
    }
}
