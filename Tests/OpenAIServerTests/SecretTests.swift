import InferenceEngine
import Requests
import Testing

@testable import OpenAIServer

@Suite struct SecretTests {
    private static let key = "sk-6d79-open-sesame"

    @Test func `no log line of any level contains the key`() async throws {
        let log = TestLog()
        let service = try ChatTests.service(.answer([65], .length))
        try await TestServer.run(service, options: { $0.apiKey = APIKey(Self.key) }, log: log) { server async throws in
            for key in [Self.key, "\(Self.key)x"] {
                let fields = "Authorization: Bearer \(key)\r\n"
                for path in ["/v1/models", "/v1/models/none", "/v1/nothing", "/health", "/metrics", "/v1/completions"] {
                    _ = try await server.get(path, headers: fields)
                }
                for body in [
                    "{", "{}", #"{"prompt": "a"}"#, #"{"prompt": "a", "stream": true}"#, #"{"prompt": "a", "odd": 1}"#,
                    #"{"messages": []}"#, #"{"messages": [{"role": "user", "content": "refuse"}]}"#,
                ] {
                    _ = try await server.post("/v1/completions", body, headers: fields)
                    _ = try await server.post("/v1/chat/completions", body, headers: fields)
                }
                for raw in [
                    "POST /v1/completions HTTP/1.1\r\nHost: a\r\n\(fields)Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                    "POST /v1/completions HTTP/1.1\r\n\(fields)Content-Length: 0\r\n\r\n", "\(fields)\r\n\r\n",
                    "GET /health HTTP/3.0\r\n\(fields)\r\n",
                ] {
                    let connection = try await server.connect()
                    try await connection.send(raw)
                    _ = try await connection.receive { TestResponse($0) != nil }
                    try? await connection.close()
                }
            }
        }
        let failing = ScriptedService(.fail([65], .deviceFailed("lost")))
        try await TestServer.run(failing, options: { $0.apiKey = APIKey(Self.key) }, log: log) { server async throws in
            let fields = "Authorization: Bearer \(Self.key)\r\n"
            _ = try await server.post("/v1/completions", #"{"prompt": "a"}"#, headers: fields)
            let silent = try await server.connect()
            try await silent.send("POST /v1/completions HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: 9\r\n\r\n{")
        }
        #expect(log.lines.count > 50)
        for line in log.lines {
            #expect(!line.contains(Self.key), "\(line)")
            // A longer line would contain the service and its tokenizer.
            #expect(line.utf8.count < 2000, "\(line.prefix(200))")
        }
    }

    @Test func `a key is never printed`() {
        var options = ServerOptions(version: "1.2.3")
        options.apiKey = APIKey(Self.key)
        var dumped = ""
        dump(options, to: &dumped)
        for text in [
            "\(options)", String(reflecting: options), dumped, "\(APIKey(Self.key))", "\(options.apiKey as Any)",
        ] {
            #expect(!text.contains(Self.key))
            #expect(!text.contains("107, 45"), "its bytes")
        }
    }
}
