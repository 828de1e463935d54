import InferenceEngine
import JSON
import Requests
import Testing

@testable import OpenAIServer

@Suite struct CompletionTests {
    @Test func `the response to a text prompt has text and usage`() async throws {
        let service = ScriptedService("Hello")
        try await TestServer.run(service) { server async throws in
            let response = try await server.post(
                "/v1/completions", #"{"model": "scripted", "prompt": "ab", "max_tokens": 5, "temperature": 0}"#)
            #expect(response.status == 200)
            #expect(response.headers["content-type"] == "application/json")
            let json = try response.json
            #expect(json.at("object") == "text_completion")
            #expect(json.at("id").text.hasPrefix("cmpl-"))
            #expect(json.at("choices.0.text") == "Hello")
            #expect(json.at("choices.0.finish_reason") == "length")
            #expect(json.at("choices.0.stop_reason") == .null)
            #expect(json.at("choices.0.logprobs") == .null)
            #expect(json.at("usage.prompt_tokens") == 2)
            #expect(json.at("usage.completion_tokens") == 5)
            #expect(json.at("usage.total_tokens") == 7)
            #expect(json.has("usage", "prompt_tokens_details"))
        }
        #expect(service.requests.map(\.prompt) == [[97, 98]])
        #expect(service.requests[0].sampling.temperature == 0)
        #expect(service.requests[0].sampling.endTokenIDs == [ByteTokenizer.end])
    }

    @Test(arguments: [
        (#"["a", "bc"]"#, [[97], [98, 99]]), ("[1, 2]", [[1, 2]]), ("[[1], [2, 3]]", [[1], [2, 3]]),
    ])
    func `prompts may be texts, tokens and lists of either`(prompt: String, tokens: [[Int32]]) async throws {
        let service = ScriptedService("xy")
        try await TestServer.run(service) { server async throws in
            let response = try await server.post("/v1/completions", #"{"prompt": \#(prompt), "n": 2, "seed": 7}"#)
            guard case .array(let choices) = try response.json.at("choices") else { throw TestFailure(response.body) }
            #expect(choices.map { $0.at("index") } == (0..<tokens.count * 2).map { .integer($0) })
            #expect(choices.allSatisfy { $0.at("text") == "xy" })
        }
        #expect(service.requests.map(\.prompt) == tokens)
        #expect(service.requests.map(\.sampling.seed) == tokens.indices.map { UInt64(7 + 2 * $0) })
        #expect(service.requests.allSatisfy { $0.choiceCount == 2 })
    }

    @Test func `sampling fields reach the engine`() async throws {
        let service = ScriptedService("x")
        try await TestServer.run(service) { server async throws in
            let response = try await server.post(
                "/v1/completions",
                """
                {"prompt": "a", "max_tokens": 3, "temperature": 0.5, "top_k": 4, "top_p": 0.9, "min_p": 0.1, "seed": -1,
                "repetition_penalty": 1.5, "presence_penalty": -1, "frequency_penalty": 2, "logit_bias": {"5": -100},
                "min_tokens": 2, "stop": ["x", "y"], "stop_token_ids": [9], "ignore_eos": true, "priority": -3,
                "include_stop_str_in_output": true, "skip_special_tokens": false, "cache_salt": "s", "user": "u",
                "deadline_ms": 250, "unknown_field": {"a": [1]}, "suffix": null, "best_of": 1}
                """)
            #expect(response.status == 200)
        }
        let request = try #require(service.requests.first)
        var expected = SamplingParameters()
        expected.maxTokens = 3
        expected.temperature = 0.5
        expected.topK = 4
        expected.topP = 0.9
        expected.minP = 0.1
        expected.seed = .max
        expected.repetitionPenalty = 1.5
        expected.presencePenalty = -1
        expected.frequencyPenalty = 2
        expected.logitBias = [5: -100]
        expected.minTokens = 2
        expected.stopTokenIDs = [9]
        #expect(request.sampling == expected)
        #expect(request.stopStrings == ["x", "y"])
        #expect(request.includesStopString)
        #expect(!request.skipsSpecialTokens)
        #expect(request.attributes.priority == -3)
        #expect(request.attributes.cacheSalt == "s")
        #expect(request.attributes.tenant == "u" && request.attributes.deadlineSeconds == 0.25)
    }

    @Test func `scores of a text are legacy log probabilities`() async throws {
        let service = ScriptedService("unused")
        try await TestServer.run(service) { server async throws in
            let response = try await server.post(
                "/v1/completions", #"{"prompt": "abc", "max_tokens": 0, "echo": true, "logprobs": 2}"#)
            let choice = try response.json.at("choices.0")
            #expect(choice.at("text") == "abc")
            #expect(choice.at("logprobs.tokens") == ["a", "b", "c"])
            #expect(choice.at("logprobs.token_logprobs") == [nil, -1.0, -1.0])
            #expect(choice.at("logprobs.top_logprobs") == [nil, ["b": -1.0, "c": -2.0], ["c": -1.0, "d": -2.0]])
            #expect(choice.at("logprobs.text_offset") == [0, 1, 2])
            #expect(try response.json.at("usage.completion_tokens") == 0)
        }
    }

    @Test func `only stops of the request have a stop reason`() async throws {
        for (reason, shown) in [
            (FinishReason.stopToken(ByteTokenizer.end), JSONValue.null), (.stopToken(9), 9), (.stopString("!"), "!"),
        ] {
            try await TestServer.run(ScriptedService(.answer([65], reason))) { server async throws in
                let response = try await server.post("/v1/completions", #"{"prompt": "a", "stop_token_ids": [9]}"#)
                #expect(try response.json.at("choices.0.finish_reason") == "stop")
                #expect(try response.json.at("choices.0.stop_reason") == shown)
            }
        }
    }

    @Test func `token ids and prompt scores are sent on request`() async throws {
        try await TestServer.run(ScriptedService("xy")) { server async throws in
            let response = try await server.post(
                "/v1/completions", #"{"prompt": "ab", "return_token_ids": true, "prompt_logprobs": 1, "max_tokens": 2}"#
            )
            let choice = try response.json.at("choices.0")
            #expect(choice.at("token_ids") == [120, 121])
            #expect(choice.at("prompt_token_ids") == [97, 98])
            #expect(
                choice.at("prompt_logprobs") == [nil, ["98": ["logprob": -1.0, "rank": 1, "decoded_token": "b"]]])
        }
    }

    @Test func `a stream consists of events with text, then usage, then DONE`() async throws {
        try await TestServer.run(ScriptedService("Hi")) { server async throws in
            let response = try await server.post(
                "/v1/completions",
                #"{"prompt": "ab", "stream": true, "stream_options": {"include_usage": true}, "echo": true, "logprobs": 0}"#
            )
            #expect(response.status == 200)
            #expect(response.headers["content-type"]?.hasPrefix("text/event-stream") == true)
            #expect(response.body.hasSuffix("data: [DONE]\n\n"))
            let events = try response.events.dropLast().map { try JSONParser.parse(Array($0.utf8)) }
            #expect(events.map { $0.at("choices.0.text").text } == ["abH", "i", "", ""])
            #expect(events[0].at("choices.0.logprobs.tokens") == ["a", "b", "H"])
            #expect(events[1].at("choices.0.logprobs.text_offset") == [3])
            #expect(events.map { $0.at("choices.0.finish_reason") } == [nil, nil, "length", nil])
            #expect(events.map { $0.has("", "usage") } == [true, true, true, true])
            #expect(events[2].at("usage") == .null)
            #expect(events[3].at("choices") == [])
            #expect(events[3].at("usage.total_tokens") == 4)
            #expect(Set(events.map { $0.at("id").text }).count == 1)
        }
    }

    @Test func `streams of several prompts contain every choice to its end`() async throws {
        try await TestServer.run(ScriptedService("abc")) { server async throws in
            let response = try await server.post(
                "/v1/completions", #"{"prompt": ["p", "q", "r"], "n": 2, "stream": true}"#)
            var texts = Array(repeating: "", count: 6)
            var ends = 0
            for event in response.events.dropLast() {
                let choice = try JSONParser.parse(Array(event.utf8)).at("choices.0")
                guard case .integer(let index) = choice.at("index") else { throw TestFailure(event) }
                texts[index] += choice.at("text").text
                if choice.at("finish_reason") != .null { ends += 1 }
            }
            #expect(texts == Array(repeating: "abc", count: 6))
            #expect(ends == 6)
        }
    }
}
