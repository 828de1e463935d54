import JSON
import InferenceEngine
import Testing

@testable import OpenAIServer

@Suite struct LifecycleTests {
    @Test(arguments: [false, true])
    func `a client that hangs up aborts its request at once`(stream: Bool) async throws {
        let service = ScriptedService(.hold(stream ? [65] : []))
        try await TestServer.run(service) { server async throws in
            let connection = try await server.connect()
            let body = #"{"prompt": ["a", "b"], "n": 2, "stream": \#(stream)}"#
            try await connection.send(TestServer.request("/v1/completions", body))
            #expect(try await eventually { service.requests.count == 2 })
            if stream { _ = try await connection.receive { $0.contains("data: ") } }
            #expect(service.abortedCount == 0)
            try await connection.close()
            #expect(try await eventually { service.abortedCount == 2 })
            #expect(try await server.get("/health").status == 200)
        }
    }

    @Test func `one connection serves several requests in sequence`() async throws {
        try await TestServer.run(ScriptedService("ab")) { server async throws in
            let connection = try await server.connect()
            for stream in [false, true, false, true] {
                let body = #"{"prompt": "a", "stream": \#(stream)}"#
                try await connection.send(TestServer.request("/v1/completions", body))
                let response = try await connection.response()
                #expect(response.status == 200)
                if stream {
                    #expect(response.events.last == "[DONE]")
                } else {
                    #expect(try response.json.at("choices.0.text") == "ab")
                }
            }
            try await connection.close()
        }
    }

    @Test func `requests on one connection may be sent before the responses`() async throws {
        try await TestServer.run(ScriptedService("ab")) { server async throws in
            let connection = try await server.connect()
            let request = TestServer.request("/v1/completions", #"{"prompt": "a"}"#)
            try await connection.send(request + request + request)
            let text = try await connection.receive { $0.components(of: "text_completion") == 3 }
            #expect(text.components(of: "HTTP/1.1 200") == 3)
            try await connection.close()
        }
    }

    @Test func `sixty-four clients are served at once`() async throws {
        try await TestServer.run(ScriptedService("abc")) { server async throws in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<64 {
                    group.addTask {
                        let body = #"{"prompt": "a", "stream": \#(index % 2 == 0)}"#
                        return try await server.post("/v1/completions", body).status == 200
                    }
                }
                for try await isRight in group { #expect(isRight) }
            }
        }
    }

    @Test func `a shutdown lets running requests finish and refuses new ones`() async throws {
        let service = ScriptedService(.hold([65]))
        try await TestServer.run(service, options: { $0.drainSeconds = 20 }) { server async throws in
            let running = try await server.connect()
            try await running.send(TestServer.request("/v1/completions", #"{"prompt": "a"}"#))
            let idle = try await server.connect()
            try await idle.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await idle.response().status == 200)
            #expect(try await eventually { service.requests.count == 1 })
            await server.shutDown()
            #expect(try await idle.waitForEnd())
            service.release()
            let response = try await running.response()
            #expect(response.status == 200)
            #expect(try response.json.at("choices.0.text") == "A")
            #expect(try await running.waitForEnd())
            await #expect(throws: (any Error).self) { _ = try await server.get("/health") }
        }
        #expect(service.abortedCount == 0)
    }

    @Test func `requests that run longer than the drain time are aborted with an error`() async throws {
        let service = ScriptedService(.hold([65]))
        try await TestServer.run(service, options: { $0.drainSeconds = 0.2 }) { server async throws in
            let whole = try await server.connect()
            try await whole.send(TestServer.request("/v1/completions", #"{"prompt": "a"}"#))
            let stream = try await server.connect()
            try await stream.send(TestServer.request("/v1/completions", #"{"prompt": "a", "stream": true}"#))
            _ = try await stream.receive { $0.contains("data: ") }
            let silent = try await server.connect()
            try await silent.send("POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
            #expect(try await eventually { service.requests.count == 2 })
            await server.shutDown()
            let response = try await whole.response()
            #expect(response.status == 503)
            #expect(response.body.contains("shutting down"))
            #expect(try await stream.receive { $0.contains("shutting down") }.contains(#""error""#))
            #expect(try await silent.waitForEnd())
        }
        #expect(service.abortedCount == 2)
    }
}

extension String {
    func components(of part: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
