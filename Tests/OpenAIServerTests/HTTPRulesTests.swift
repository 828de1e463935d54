import InferenceEngine
import JSON
import Testing

@testable import OpenAIServer

/// The rules of RFC 9110 and 9112 for servers, tested on a socket, because client libraries cannot send most of these
/// messages.
@Suite struct HTTPRulesTests {
    private static let body = #"{"prompt": "a"}"#
    private static let json = "Content-Type: application/json\r\n"

    /// The response to `text`, and whether the server then closes the connection.
    private static func answer(
        to text: String, from server: TestServer, closing: Bool = false
    ) async throws -> (response: TestResponse, raw: String) {
        let connection = try await server.connect()
        try await connection.send(text)
        let raw = try await connection.receive { !closing && TestResponse($0) != nil }
        if closing { #expect(try await connection.waitForEnd(), "the connection stays open after \(raw)") }
        try? await connection.close()
        guard let response = TestResponse(raw) else { throw TestFailure("no whole answer in '\(raw)'") }
        return (response, raw)
    }

    private static func head(_ fields: String, _ path: String = "/v1/completions", version: String = "1.1") -> String {
        "POST \(path) HTTP/\(version)\r\n\(fields)\r\n"
    }

    // MARK: Expect

    @Test func `100 Continue is sent when the server is ready to read the body`() async throws {
        try await TestServer.run(ScriptedService("ab")) { server async throws in
            let connection = try await server.connect()
            for _ in 0..<2 {
                let fields = "Host: a\r\n\(Self.json)Expect: 100-Continue\r\nContent-Length: \(Self.body.count)\r\n"
                try await connection.send(Self.head(fields))
                let interim = try await connection.receive { $0.hasSuffix("\r\n\r\n") }
                #expect(interim == "HTTP/1.1 100 Continue\r\n\r\n")
                connection.forget()
                try await connection.send(Self.body)
                let response = try await connection.response()
                #expect(response.status == 200)
                #expect(try response.json.at("choices.0.text") == "ab")
            }
            try await connection.close()
        }
    }

    @Test func `errors in the head are reported before the body is read`() async throws {
        try await TestServer.run(ScriptedService("ab"), options: { $0.apiKey = APIKey("sesame") }) {
            server async throws in
            let key = "Host: a\r\nAuthorization: Bearer sesame\r\n"
            for (fields, path, status) in [
                ("\(key)Content-Length: 999999999\r\n", "/v1/completions", 413),
                ("\(key)Content-Length: 18446744073709551615\r\n", "/v1/completions", 413),
                ("\(key)Content-Length: 10\r\n", "/v1/nothing", 404),
                ("Host: a\r\nContent-Length: 10\r\n", "/tokenize", 401),
                ("\(key)Content-Length: 10\r\nContent-Type: text/plain\r\n", "/v1/completions", 415),
            ] {
                for expect in ["", "Expect: 100-continue\r\n"] {
                    let (response, raw) = try await Self.answer(
                        to: Self.head(fields + expect, path), from: server, closing: true)
                    #expect(response.status == status, "\(fields)\(expect): \(raw)")
                    #expect(response.headers["connection"] == "close", "\(raw)")
                }
            }
            let (response, _) = try await Self.answer(
                to: Self.head("\(key)Expect: 200-ok\r\nContent-Length: 0\r\n"), from: server)
            #expect(response.status == 417)
        }
    }

    @Test(arguments: ["keep-alive", "close"], [false, true])
    func `a client that reads only after it has sent everything receives the error, too`(
        connection: String, isChunked: Bool
    ) async throws {
        try await TestServer.run(ScriptedService("ab"), options: { $0.maxBodyByteCount = 1 << 20 }) {
            server async throws in
            let size = 12 << 20
            let framing =
                isChunked
                ? "Transfer-Encoding: chunked\r\n\r\n\(String(size, radix: 16))\r\n" : "Content-Length: \(size)\r\n\r\n"
            let client = try await server.connect()
            try await client.send("POST /v1/completions HTTP/1.1\r\nHost: a\r\nConnection: \(connection)\r\n\(framing)")
            try await client.send([UInt8](repeating: 32, count: size))
            #expect(try await client.response().status == 413)
            try? await client.close()
        }
    }

    @Test func `100 Continue is not sent for a complete body, nor to HTTP 1.0`() async throws {
        try await TestServer.run(ScriptedService("ab")) { server async throws in
            let expect = "\(Self.json)Expect: 100-continue\r\nContent-Length: \(Self.body.count)\r\n"
            for version in ["1.0", "1.1"] {
                let (response, raw) = try await Self.answer(
                    to: Self.head("Host: a\r\n\(expect)", version: version) + Self.body, from: server)
                #expect(response.status == 200)
                #expect(!raw.contains("100 Continue"))
            }
        }
    }

    // MARK: HTTP/1.0 and connections

    @Test(arguments: [false, true])
    func `responses to HTTP 1.0 have no chunks and end with the connection`(stream: Bool) async throws {
        try await TestServer.run(ScriptedService("ab")) { server async throws in
            let body = #"{"prompt": "a", "stream": \#(stream)}"#
            for fields in ["", "Host: a\r\n", "Connection: keep-alive\r\n"] {
                let connection = try await server.connect()
                let length = "Content-Length: \(body.count)\r\n"
                try await connection.send(Self.head(fields + Self.json + length, version: "1.0") + body)
                let raw = try await connection.receive { _ in false }
                #expect(raw.hasPrefix("HTTP/1.0 200 OK\r\n"), "\(raw)")
                #expect(!raw.lowercased().contains("transfer-encoding"))
                #expect(raw.lowercased().contains("connection: close\r\n"))
                #expect(raw.hasSuffix(stream ? "data: [DONE]\n\n" : "}"), "\(raw)")
                if stream { #expect(raw.contains("\r\n\r\ndata: {"), "no chunk sizes: \(raw)") }
            }
        }
    }

    @Test(arguments: ["close", "Close", "keep-alive, close"])
    func `the connection is closed if the client asks for it`(connection: String) async throws {
        try await TestServer.run(ScriptedService("ab")) { server async throws in
            let fields = "Host: a\r\nConnection: \(connection)\r\n"
            let (response, _) = try await Self.answer(
                to: "GET /health HTTP/1.1\r\n\(fields)\r\n", from: server, closing: true)
            #expect(response.status == 200)
            #expect(response.headers["connection"] == "close")
        }
    }

    // MARK: Host

    @Test func `HTTP 1.1 needs exactly one valid Host field`() async throws {
        try await TestServer.run(ScriptedService("ab")) { server async throws in
            let cases: [(fields: String, status: Int)] = [
                ("", 400), ("Host: a\r\nHost: a\r\n", 400), ("Host: a\r\nHost: b\r\nHost: c\r\n", 400),
                ("Host: a b\r\n", 400), ("Host: a/b\r\n", 400), ("Host: a:b\r\n", 400), ("Host: [::1\r\n", 400),
                ("Host: a:99999\r\n", 400), ("Host: user@a\r\n", 400), ("Host: a, b\r\n", 400),
                ("Host:\r\n", 200), ("Host: a:\r\n", 200), ("Host: [::1]:8000\r\n", 200), ("Host: A:80\r\n", 200),
            ]
            for (fields, status) in cases {
                let (response, raw) = try await Self.answer(to: "GET /health HTTP/1.1\r\n\(fields)\r\n", from: server)
                #expect(response.status == status, "\(fields): \(raw)")
                if status == 400 { #expect(try response.json.at("error.message").text.contains("Host"), "\(raw)") }
            }
            let (old, _) = try await Self.answer(to: "GET /health HTTP/1.0\r\n\r\n", from: server)
            #expect(old.status == 200)
            // Proxies send the absolute form, whose host has precedence over the field.
            for (target, status) in [("http://localhost/health", 200), ("http://evil.example/health", 403)] {
                let (response, raw) = try await Self.answer(
                    to: "GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n", from: server)
                #expect(response.status == status, "\(target): \(raw)")
            }
        }
    }

    // MARK: Bodies

    @Test func `a broken chunk and a truncated body are errors of the client`() async throws {
        let log = TestLog()
        try await TestServer.run(ScriptedService("ab"), log: log) { server async throws in
            let chunked = "Host: a\r\n\(Self.json)Transfer-Encoding: chunked\r\n"
            for chunks in ["zz\r\n", "5\r\nabcdeXX", "-1\r\n", "fffffffffffffffff\r\n", "3\r\n{\"p\r\n0x2\r\n"] {
                let (response, raw) = try await Self.answer(
                    to: Self.head(chunked) + chunks, from: server, closing: true)
                #expect(response.status == 400, "\(chunks): \(raw)")
                #expect(response.headers["connection"] == "close")
                #expect(try response.json.at("error.code") == "malformed_message")
            }
            for (fields, part) in [("Content-Length: 100\r\n", "{"), ("Transfer-Encoding: chunked\r\n", "5\r\nab")] {
                let connection = try await server.connect()
                try await connection.send(Self.head("Host: a\r\n\(Self.json)\(fields)") + part)
                try await connection.closeOutput()
                #expect(try await connection.response().status == 400)
                #expect(try await connection.waitForEnd())
            }
        }
        #expect(!log.lines.contains { $0.hasPrefix("error") })
    }

    @Test func `whole chunks are read, with extensions and trailers`() async throws {
        try await TestServer.run(ScriptedService("ab")) { server async throws in
            let head = Self.head("Host: a\r\n\(Self.json)Transfer-Encoding: Chunked\r\n")
            let chunks = "7;a=b\r\n{\"promp\r\n8\r\nt\": \"a\"}\r\n0\r\nX-Sum: 1\r\n\r\n"
            #expect(try await Self.answer(to: head + chunks, from: server).response.status == 200)
        }
    }

    @Test func `ambiguous framing is refused`() async throws {
        try await TestServer.run(ScriptedService("ab")) { server async throws in
            let length = "Content-Length: \(Self.body.count)\r\n"
            for (fields, version, statuses) in [
                ("Transfer-Encoding: gzip, chunked\r\n", "1.1", [501]),
                ("Transfer-Encoding: chunked\r\n", "1.0", [400]),
                ("Transfer-Encoding: chunked\r\n\(length)", "1.1", [400]),
                ("\(length)Content-Length: 3\r\n", "1.1", [400]), ("Content-Length: -1\r\n", "1.1", [400]),
                ("Content-Length: 1e3\r\n", "1.1", [400]), (length, "2.0", [400, 505]), (length, "0.9", [400, 505]),
            ] {
                let connection = try await server.connect()
                try await connection.send(Self.head("Host: a\r\n\(Self.json)\(fields)", version: version))
                try? await connection.send("f\r\n\(Self.body)\r\n0\r\n\r\n")
                let response = try await connection.response()
                #expect(statuses.contains(response.status), "\(fields) \(version): \(response.status)")
                try? await connection.close()
            }
        }
    }

    @Test func `bodies must be uncompressed JSON`() async throws {
        try await TestServer.run(ScriptedService("ab")) { server async throws in
            for (fields, status) in [
                ("Content-Encoding: gzip\r\n", 415), ("Content-Encoding: br, gzip\r\n", 415),
                ("Content-Encoding: Identity\r\n", 200), ("Content-Type: text/plain\r\n", 415),
                ("Content-Type: application/x-www-form-urlencoded\r\n", 415),
                ("Content-Type: multipart/form-data; boundary=application/json\r\n", 415),
                ("Content-Type: text/json\r\n", 415), ("Content-Type: Application/JSON ;charset=UTF-8\r\n", 200),
                ("Content-Type: application/vnd.api+json\r\n", 200), ("", 200),
            ] {
                let length = "Content-Length: \(Self.body.count)\r\n"
                let (response, raw) = try await Self.answer(
                    to: Self.head("Host: a\r\n\(fields)\(length)") + Self.body, from: server)
                #expect(response.status == status, "\(fields): \(raw)")
                guard status == 415 else { continue }
                #expect(response.headers["accept-encoding"] == "identity")
                #expect(try response.json.at("error.message").text.contains("Content-"), "\(raw)")
            }
        }
    }

    // MARK: Clients that disconnect

    @Test func `a client that disconnects before the response is counted as such`() async throws {
        let log = TestLog()
        let service = ScriptedService(.hold([]))
        try await TestServer.run(service, log: log) { server async throws in
            let connection = try await server.connect()
            try await connection.send(TestServer.request("/v1/completions", Self.body))
            #expect(try await eventually { service.requests.count == 1 })
            try await connection.close()
            let series = #"http_requests_total{method="POST",path="/v1/completions",status="499"} 1"#
            #expect(try await eventually { server.metrics.exposition.contains(series) })
            // A client that disconnects within its body gets the response to an incomplete body, in case it still
            // reads.
            let upload = try await server.connect()
            try await upload.send(Self.head("Host: a\r\nContent-Length: 100\r\n") + "{")
            try await upload.close()
            let counted = #"http_requests_total{method="POST",path="/v1/completions",status="4"#
            #expect(try await eventually { server.metrics.exposition.components(of: counted) == 2 })
            #expect(!server.metrics.exposition.contains(#"status="5"#))
        }
        #expect(!log.lines.contains { $0.hasPrefix("error") })
    }
}
