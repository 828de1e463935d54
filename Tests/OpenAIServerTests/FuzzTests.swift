import JSON
import Requests
import SharedValues
import Testing
import Tokenization

@testable import OpenAIServer

@Suite struct FuzzTests {
    static let seedBodies = [
        #"{"model": "scripted", "prompt": ["a", "b"], "max_tokens": 3, "n": 2, "stop": ["x"], "logprobs": 1, "echo": true}"#,
        #"{"prompt": [[1, 2], [3]], "temperature": 0.5, "logit_bias": {"5": 1.5}, "stop_token_ids": [1], "seed": -7}"#,
        #"{"messages": [{"role": "user", "content": [{"type": "text", "text": "a<|im_end|>"}]}], "tools": [{"type": "function", "function": {"name": "f"}}], "top_logprobs": 2, "logprobs": true}"#,
        #"{"prompt": "\u00e9\ud83d\ude00", "tokens": [1, 2], "stream_options": {"include_usage": true}, "stream": true}"#,
    ]
    static let pieces = [
        "null", "true", "-1", "1e300", "9223372036854775808", "-9223372036854775808", "0.1", "NaN", "-Infinity", "[]",
        "{}",
        #""""#, #""\ud800""#, "[[[]]]", #"{"a":{}}"#, "\u{0}", ",", ":", "\"", "\\", "[", "]", "{", "}", " ", "é",
        "258", "2.0",
    ]

    /// One of the seed bodies in which some bytes are removed, repeated, changed, or replaced by a piece of JSON.
    static func body(_ random: inout SplitMix64) -> [UInt8] {
        var bytes = Array(seedBodies.randomElement(using: &random)!.utf8)
        for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
            let start = Int.random(in: 0..<bytes.count, using: &random)
            let end = min(bytes.count, start + Int.random(in: 0...6, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.removeSubrange(start..<end)
            case 1: bytes.insert(contentsOf: Array(bytes[start..<end]), at: start)
            case 2: bytes[start] = UInt8.random(in: 0...255, using: &random)
            default:
                // Replaces a whole value, the bytes between two separators.
                let separators = Array(":,[]{}".utf8)
                let from = bytes[..<start].lastIndex { separators.contains($0) }.map { $0 + 1 } ?? start
                let to = bytes[start...].firstIndex { separators.contains($0) } ?? bytes.count
                bytes.replaceSubrange(from..<max(from, to), with: Array(pieces.randomElement(using: &random)!.utf8))
            }
        }
        return bytes
    }

    @Test func `damaged bodies never lead to a 500 or to no response`() async throws {
        let service = try ChatTests.service(.answer([72, 0xC3], .length))
        let counts = try await TestServer.run(service) { server async throws in
            var random = SplitMix64(seed: 20)
            var counts: [Int: Int] = [:]
            let connection = try await server.connect()
            let paths = ["/v1/completions", "/v1/chat/completions", "/tokenize", "/detokenize"]
            for index in 0..<4000 {
                let body = Self.body(&random)
                let head =
                    "POST \(paths[index % paths.count]) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n"
                try await connection.send(Array(head.utf8) + body)
                let response = try await connection.response()
                counts[response.status, default: 0] += 1
                #expect(
                    [200, 400, 404].contains(response.status),
                    "\(String(decoding: body, as: UTF8.self)): \(response.body)")
                if response.status != 200 { #expect(try !response.json.at("error.message").text.isEmpty) }
            }
            try await connection.close()
            return counts
        }
        #expect(counts[200, default: 0] > 200 && counts[400, default: 0] > 1000, "\(counts)")
    }

    @Test func `the writer writes what the parser reads`() throws {
        var random = SplitMix64(seed: 7)
        var readCount = 0
        for _ in 0..<20_000 {
            guard let value = try? JSONParser.parse(Self.body(&random)) else { continue }
            readCount += 1
            #expect(try JSONParser.parse(value.encoded) == value)
        }
        #expect(readCount > 1000)
    }
}
