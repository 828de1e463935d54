import JSON
import Testing

@testable import OpenAIServer

/// Web pages cannot use the server through a reader's browser unless the configuration allows it.
@Suite struct BrowserAccessTests {
    private static let body = #"{"prompt": "a"}"#

    private static func status(_ server: TestServer, host: String, _ fields: String = "") async throws -> Int {
        let connection = try await server.connect()
        try await connection.send(
            "POST /v1/completions HTTP/1.1\r\nHost: \(host)\r\nContent-Type: application/json\r\n\(fields)"
                + "Content-Length: \(body.count)\r\n\r\n\(body)")
        let response = try await connection.response()
        try await connection.close()
        if response.status == 403 {
            let error = try response.json.at("error")
            #expect(error.at("code") == "forbidden")
            #expect(error.at("message").text.contains("server.allowed_"))
        }
        return response.status
    }

    @Test func `host names in the public DNS are refused`() async throws {
        let service = ScriptedService("ab")
        try await TestServer.run(service) { server async throws in
            for host in [
                "evil.example", "evil.example:8000", "EVIL.example", "localhost.evil.example", "127.0.0.1.evil.example",
                "1.2.3", "127.0.0.1.", "xn--lcalhost-54a.com",
            ] {
                #expect(try await Self.status(server, host: host) == 403, "\(host)")
            }
            #expect(service.requests.isEmpty)
            for host in [
                "localhost", "localhost:1", "LOCALHOST", "127.0.0.1:8000", "192.168.1.7", "[::1]:8000", "[fe80::1]",
                "quire",
                "app.localhost", "gpu.local", "quire.default.svc.cluster.local", "llm.corp.internal",
            ] {
                #expect(try await Self.status(server, host: host) == 200, "\(host)")
            }
        }
    }

    @Test func `host names can be allowed, one or all`() async throws {
        try await TestServer.run(ScriptedService("ab"), options: { $0.allowedHosts = ["LLM.example.com"] }) {
            server async throws in
            #expect(try await Self.status(server, host: "llm.example.com:443") == 200)
            #expect(try await Self.status(server, host: "other.example.com") == 403)
        }
        try await TestServer.run(ScriptedService("ab"), options: { $0.allowedHosts = ["*"] }) { server async throws in
            #expect(try await Self.status(server, host: "anything.example") == 200)
        }
    }

    @Test func `pages of other origins are refused on every route`() async throws {
        let service = ScriptedService("ab")
        try await TestServer.run(service) { server async throws in
            for origin in [
                "https://evil.example", "http://localhost:3000", "null", "http://localhost.evil.example",
                "https://localhost:8000",
                "file://", "evil", "http://localhost@evil.example",
            ] {
                #expect(try await Self.status(server, host: "localhost", "Origin: \(origin)\r\n") == 403, "\(origin)")
                for path in ["/v1/models", "/metrics", "/health"] {
                    let response = try await server.get(path, headers: "Origin: \(origin)\r\n")
                    #expect(response.status == 403, "\(origin) \(path)")
                    #expect(response.headers["access-control-allow-origin"] == nil)
                }
            }
            #expect(service.requests.isEmpty)
            // A page of the same origin as the API, and programs, which send no origin.
            for (host, fields) in [
                ("localhost:8000", "Origin: http://localhost:8000\r\n"), ("localhost", "Origin: http://LOCALHOST\r\n"),
                ("gpu.local", "Origin: https://gpu.local\r\n"), ("[::1]:8000", "Origin: http://[::1]:8000\r\n"),
                ("localhost", ""),
            ] {
                #expect(try await Self.status(server, host: host, fields) == 200, "\(host) \(fields)")
            }
        }
    }

    @Test func `pages of an allowed origin may send requests and read responses`() async throws {
        let chat = "https://chat.example.com"
        try await TestServer.run(
            ScriptedService("ab"),
            options: {
                $0.allowedOrigins = ["\(chat)/"]
                $0.apiKey = APIKey("sesame")
            }
        ) { server async throws in
            let connection = try await server.connect()
            let asked = "authorization, content-type, x-stainless-os"
            try await connection.send(
                "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: \(chat)\r\n"
                    + "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: \(asked)\r\n\r\n")
            let raw = try await connection.receive { $0.hasSuffix("\r\n\r\n") }
            try await connection.close()
            #expect(raw.hasPrefix("HTTP/1.1 204"), "\(raw)")
            #expect(raw.contains("Access-Control-Allow-Origin: \(chat)\r\n"))
            #expect(raw.contains("Access-Control-Allow-Headers: \(asked)\r\n"))
            #expect(raw.contains("Access-Control-Allow-Methods: GET, HEAD, POST\r\n"))
            for (fields, status) in [("Authorization: Bearer sesame\r\n", 200), ("", 401)] {
                let response = try await server.post(
                    "/v1/completions", Self.body, headers: "Origin: \(chat)\r\n\(fields)")
                #expect(response.status == status)
                #expect(response.headers["access-control-allow-origin"] == chat)
                #expect(response.headers["vary"] == "Origin")
            }
            #expect(try await server.get("/health", headers: "Origin: https://chat.example.org\r\n").status == 403)
        }
        try await TestServer.run(ScriptedService("ab"), options: { $0.allowedOrigins = ["*"] }) { server async throws in
            #expect(try await server.get("/health", headers: "Origin: null\r\n").status == 200)
        }
    }
}
