import JSON
import InferenceEngine
import Requests
import Testing

@testable import OpenAIServer

@Suite struct ErrorTests {
    /// Bodies of `/v1/completions` (prompt included unless the body has one), the field blamed, and words of the
    /// message.
    static let badFields: [(body: String, param: String?, words: String)] = [
        (#""model": 7"#, "model", "expected a string, found 7"),
        (#""prompt": 7"#, "prompt", "array"),
        (#""prompt": {}"#, "prompt", "found an object"),
        (#""prompt": []"#, "prompt", "empty"),
        (#""prompt": """#, "prompt", "no tokens"),
        (#""prompt": ["a", 1]"#, "prompt[1]", "found a number"),
        (#""prompt": ["a", ""]"#, "prompt", "no tokens"),
        (#""prompt": [[]]"#, "prompt", "no tokens"),
        (#""prompt": [1, 258]"#, "prompt[1]", "0 to 257, found 258"),
        (#""prompt": [-1]"#, "prompt[0]", "found -1"),
        (#""prompt": [[1], [99999999999]]"#, "prompt[1][0]", "found 99999999999"),
        (#""prompt": [1, 2.5]"#, "prompt[1]", "found 2.5"),
        (
            #""prompt": "\#(String(repeating: "a", count: 64))""#, "prompt",
            "This model's maximum context length is 64 tokens. However, your prompt resulted in 64 tokens"
        ),
        (#""max_tokens": "5""#, "max_tokens", "found a string"),
        (#""max_tokens": -1"#, "max_tokens", "found -1"),
        (#""max_tokens": 1e300"#, "max_tokens", "1e+300"),
        (#""max_tokens": 9223372036854775808"#, "max_tokens", "integer"),
        (
            #""max_tokens": 64"#, "max_tokens",
            "This model's maximum context length is 64 tokens. However, you requested 65 tokens (1 in the prompt, 64 in"
        ),
        (#""temperature": -0.1"#, "temperature", "found -0.1"),
        (#""temperature": "hot""#, "temperature", "found a string"),
        (#""temperature": NaN"#, "temperature", "NaN"),
        (#""temperature": Infinity"#, "temperature", "Infinity"),
        (#""temperature": -Infinity"#, "temperature", "-Infinity"),
        (#""temperature": 1e999"#, "temperature", "from 0.0 to 100.0"),
        (#""temperature": true"#, "temperature", "found true"),
        (#""top_p": 0"#, "top_p", "above 0"),
        (#""top_p": 1.5"#, "top_p", "1.5"),
        (#""top_k": -2"#, "top_k", "-2"),
        (#""top_k": 0.5"#, "top_k", "0.5"),
        (#""min_p": 2"#, "min_p", "found 2"),
        (#""repetition_penalty": 0"#, "repetition_penalty", "found 0"),
        (#""presence_penalty": 2.5"#, "presence_penalty", "2.5"),
        (#""frequency_penalty": -3"#, "frequency_penalty", "-3"),
        (#""seed": 18446744073709551616"#, "seed", "64-bit"), (#""seed": -9223372036854775809"#, "seed", "64-bit"),
        (#""seed": 9223372036854775808"#, "seed", "64-bit"), (#""priority": 1e18"#, "priority", "found 1e+18"),
        (#""n": 0"#, "n", "from 1"),
        (#""n": 1000000"#, "n", "1000000"),
        (#""n": 2, "best_of": 3"#, "best_of", "equals n"),
        (#""suffix": "x""#, "suffix", "not supported"),
        (#""logprobs": 21"#, "logprobs", "from 0 to 20"),
        (#""logprobs": true"#, "logprobs", "found true"),
        (#""prompt_logprobs": -1"#, "prompt_logprobs", "-1"),
        (#""prompt_logprobs": 1, "stream": true"#, "prompt_logprobs", "stream"),
        (#""min_tokens": 9, "max_tokens": 8"#, "min_tokens", "more than"),
        (#""stop": 5"#, "stop", "found a number"),
        (#""stop": ["a", null]"#, "stop[1]", "found null"),
        (#""stop": """#, "stop[0]", "empty"),
        (#""stop": ["\#(String(repeating: "é", count: 2048))", "a"]"#, "stop", "at most 4096 bytes together"),
        (#""stop_token_ids": [\#(String(repeating: "1, ", count: 1024))1]"#, "stop_token_ids", "at most 1024"),
        (#""user": "\#(String(repeating: "a", count: 4097))""#, "user", "at most 4096 bytes, found 4097"),
        (#""cache_salt": "\#(String(repeating: "a", count: 4097))""#, "cache_salt", "at most 4096 bytes"),
        (#""stop_token_ids": [258]"#, "stop_token_ids[0]", "258"),
        (#""stop_token_ids": 3"#, "stop_token_ids", "an array"),
        (#""logit_bias": {"258": 1}"#, "logit_bias", "'258'"),
        (#""logit_bias": {"-1": 1}"#, "logit_bias", "'-1'"),
        (#""logit_bias": {"x\n": 1}"#, "logit_bias", "'x?'"),
        (#""logit_bias": {"5": 101}"#, "logit_bias.5", "101"),
        (#""logit_bias": {"5": NaN}"#, "logit_bias[5]", "NaN"),
        (#""logit_bias": [1]"#, "logit_bias", "expected an object"),
        (#""stream": 1"#, "stream", "true or false"),
        (#""stream_options": {}"#, "stream_options", "stream: true"),
        (#""cache_salt": """#, "cache_salt", "empty"),
        (#""user": 1"#, "user", "a string"),
        (#""echo": "yes""#, "echo", "true or false"),
        (#""response_format": {"type": "json_object"}"#, "response_format", "text"),
        (#""guided_regex": "a+""#, "guided_regex", "not supported"),
    ]

    /// Fields of other servers with values that would change the response.
    static let unsupported = [
        (#""allowed_token_ids": [5]"#, "allowed_token_ids"), (#""bad_words": ["a"]"#, "bad_words"),
        (#""truncate_prompt_tokens": 4"#, "truncate_prompt_tokens"), (#""grammar": "root ::= \"a\"""#, "grammar"),
        (#""json_schema": {}"#, "json_schema"), (#""regex": "a+""#, "regex"),
        (#""structured_outputs": {"choice": ["a"]}"#, "structured_outputs"),
        (#""prompt_embeds": "x""#, "prompt_embeds"),
        (#""modalities": ["text", "audio"]"#, "modalities"), (#""logprob_token_ids": [1]"#, "logprob_token_ids"),
        (#""repeat_penalty": 1.1"#, "repeat_penalty"), (#""n_predict": 5"#, "n_predict"),
        (#""mirostat": 2"#, "mirostat"), (#""typical_p": 0.5"#, "typical_p"), (#""do_sample": false"#, "do_sample"),
        (#""use_beam_search": true"#, "use_beam_search"), (#""web_search_options": {}"#, "web_search_options"),
        (#""response_format": {"type": "json_schema"}"#, "response_format"),
    ]
    static let unsupportedInChat = [
        (#""functions": [{"name": "f"}]"#, "functions"), (#""function_call": {"name": "f"}"#, "function_call"),
        (#""echo": true"#, "echo"), (#""suffix": "x""#, "suffix"),
    ]
    static let unsupportedInCompletions = [
        (#""max_completion_tokens": 5"#, "max_completion_tokens"), (#""top_logprobs": 2"#, "top_logprobs"),
    ]
    /// The same fields with neutral values.
    static let neutral = [
        #""bad_words": [], "grammar": "", "modalities": ["text"], "repeat_penalty": 1.0, "n_predict": -1, "mirostat": 0"#,
        #""typical_p": 1, "use_beam_search": false, "guided_json": null, "response_format": {"type": "text"}, "lora": []"#,
    ]

    @Test func `an unsupported field that would change the response is a 400 that names it`() async throws {
        let service = try ChatTests.service(.answer([65], .length))
        try await TestServer.run(service) { server async throws in
            for (path, prompt, fields) in [
                ("/v1/completions", #""prompt": "a""#, Self.unsupported + Self.unsupportedInCompletions),
                (
                    "/v1/chat/completions", #""messages": [{"role": "user", "content": "a"}]"#,
                    Self.unsupported + Self.unsupportedInChat
                ),
            ] {
                for (field, name) in fields {
                    let response = try await server.post(path, "{\(prompt), \(field)}")
                    #expect(response.status == 400, "\(field): \(response.body)")
                    #expect(try response.json.at("error.param") == .string(name), "\(response.body)")
                    #expect(try response.json.at("error.message").text.contains("support"), "\(response.body)")
                }
                for field in Self.neutral {
                    let response = try await server.post(path, "{\(prompt), \(field)}")
                    #expect(response.status == 200, "\(field): \(response.body)")
                }
            }
        }
    }

    @Test func `a field that is not read is logged once`() async throws {
        let log = TestLog()
        let service = try ChatTests.service(.answer([65], .length))
        try await TestServer.run(service, log: log) { server async throws in
            for _ in 0..<3 {
                let body =
                    #"{"prompt": "a", "temprature": 1, "store": true, "length_penalty": 2, "user": "u", "x\ny": 1}"#
                #expect(try await server.post("/v1/completions", body).status == 200)
                let chat = #"{"messages": [{"role": "user", "content": "a"}], "temprature": 1, "max_tokens": 1}"#
                #expect(try await server.post("/v1/chat/completions", chat).status == 200)
            }
        }
        let warnings = log.lines.filter { $0.hasPrefix("warning") }
        #expect(warnings.filter { $0.contains("'temprature'") }.count == 1)
        #expect(warnings.count == 4, "\(warnings)")
        #expect(warnings.contains { $0.contains("'x?y'") })
    }

    @Test func `the error for a chat that is too long has the words that gateways recognize`() async throws {
        let service = try ChatTests.service(.answer([65], .length), maxModelLength: 64)
        try await TestServer.run(service) { server async throws in
            for (fields, param) in [("", "messages"), (#", "max_tokens": 50"#, "max_tokens")] {
                let text = String(repeating: "a", count: param == "messages" ? 99 : 9)
                let body = #"{"messages": [{"role": "user", "content": "\#(text)"}]\#(fields)}"#
                let error = try await server.post("/v1/chat/completions", body).json.at("error")
                // litellm recognizes this beginning and raises its ContextWindowExceededError.
                #expect(error.at("message").text.hasPrefix("This model's maximum context length is 64 tokens."))
                #expect(error.at("param") == .string(param))
                #expect(error.at("code") == "context_length_exceeded")
            }
        }
    }

    @Test func `an invalid field is a 400 that names the field and its value`() async throws {
        let service = ScriptedService("x")
        try await TestServer.run(service) { server async throws in
            for (body, param, words) in Self.badFields {
                let prompt = body.contains(#""prompt":"#) ? "" : #""prompt": "a", "#
                let response = try await server.post("/v1/completions", "{\(prompt)\(body)}")
                let error = try response.json.at("error")
                #expect(response.status == 400, "\(body): \(response.body)")
                #expect(error.at("param") == JSONValue(param), "\(body): \(response.body)")
                #expect(error.at("message").text.contains(words), "\(body): \(response.body)")
                #expect(error.at("type") == "invalid_request_error")
                #expect(error.at("code") == .null || error.at("code") == "context_length_exceeded")
            }
        }
        #expect(service.requests.isEmpty)
    }

    static let badBodies: [([UInt8], String)] = [
        (Array("".utf8), "ends where a value"), (Array("[]".utf8), "expected an object, found an array"),
        (Array(#"{"prompt": "a""#.utf8), "comma or the end"), (Array(#"{"prompt": "a"} x"#.utf8), "follows"),
        (Array(#"{'prompt': 1}"#.utf8), "double quotes"), (Array(#"{"prompt": "a",}"#.utf8), "after the comma"),
        (Array(#"{"prompt": "\ud800"}"#.utf8), "surrogate"), (Array(#"{"prompt": "\udc00x"}"#.utf8), "surrogate"),
        (Array(#"{"prompt": "\ud800\u0041"}"#.utf8), "surrogate"),
        (Array(#"{"prompt": ""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8), "UTF-8"),
        (Array(#"{"prompt": ""#.utf8) + [0xED, 0xA0, 0x80] + Array(#""}"#.utf8), "UTF-8"),
        (Array(#"{"prompt": ""#.utf8) + [0x00] + Array(#""}"#.utf8), "control character"),
        (Array((String(repeating: "[", count: 100_000)).utf8), "nested more than"),
        (Array((#"{"a":"# + String(repeating: #"{"a":"#, count: 100_000)).utf8), "nested more than"),
        (Array(#"{"prompt": "a", "max_tokens": 01}"#.utf8), "begin with 0"), (Array("{}".utf8), "is required"),
    ]

    @Test func `a body that is not a JSON object is a 400 with a message`() async throws {
        try await TestServer.run(ScriptedService("x")) { server async throws in
            for (body, words) in Self.badBodies {
                let connection = try await server.connect()
                let head = "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n"
                try await connection.send(Array(head.utf8) + body)
                let response = try await connection.response()
                #expect(response.status == 400)
                #expect(try response.json.at("error.message").text.contains(words), "\(response.body)")
                try await connection.close()
            }
        }
    }

    @Test func `null counts as absent, keys may repeat, integers may have a zero fraction`() async throws {
        let service = ScriptedService("xyz")
        try await TestServer.run(service) { server async throws in
            let response = try await server.post(
                "/v1/completions", #"{"prompt": 1, "prompt": "a", "n": null, "stop": null, "max_tokens": 3.0}"#)
            #expect(response.status == 200)
        }
        #expect(service.requests.map(\.sampling.maxTokens) == [3])
    }

    static let engineErrors: [(EngineError, Int, String?, String?)] = [
        (.queueFull(limit: 3), 429, "1", nil), (.shuttingDown, 503, "5", nil), (.deviceFailed("lost"), 503, "5", nil),
        (.promptTooLong(tokenCount: 9, limit: 8), 400, nil, "This model's maximum context length is 8 tokens."),
        (.tooManyChoices(5, limit: 4), 400, nil, nil),
        (.tokenOutOfVocabulary(field: "prompt", token: 5, vocabularySize: 4), 400, nil, nil),
    ]

    @Test func `errors of the engine have a status and a time to retry`() async throws {
        for (error, status, retryAfter, words) in Self.engineErrors {
            let service = ScriptedService(.answer([65], .length), error: error)
            try await TestServer.run(service) { server async throws in
                for stream in [false, true] {
                    let body = #"{"prompt": "a", "stream": \#(stream)}"#
                    let response = try await server.post("/v1/completions", body)
                    #expect(response.status == status)
                    #expect(response.headers["retry-after"] == retryAfter)
                    #expect(try response.json.at("error.message").text.contains(words ?? error.description))
                }
            }
        }
    }

    @Test func `a device that fails is a 503, or an error event once a stream has begun`() async throws {
        for script in [
            ScriptedService.Script.answer([65], .failure("device lost")), .fail([65], .deviceFailed("device lost")),
        ] {
            try await TestServer.run(ScriptedService(script)) { server async throws in
                let whole = try await server.post("/v1/completions", #"{"prompt": "a"}"#)
                #expect(whole.status == 503)
                #expect(whole.body.contains("device lost"))
                let stream = try await server.post("/v1/completions", #"{"prompt": "a", "stream": true}"#)
                #expect(stream.status == 200)
                #expect(stream.events.count == 2)
                #expect(try JSONParser.parse(Array(stream.events[0].utf8)).at("choices.0.text") == "A")
                #expect(
                    try JSONParser.parse(Array(stream.events[1].utf8)).at("error.message").text.contains("device lost"))
            }
        }
    }

    @Test func `a request that the policy refuses is a 429, or an error event once a stream has begun`() async throws {
        try await TestServer.run(ScriptedService(.answer([], .rejected("too late")))) { server async throws in
            let whole = try await server.post("/v1/completions", #"{"prompt": "a"}"#)
            #expect(whole.status == 429)
            #expect(try whole.json.at("error.code") == "rate_limit_exceeded")
            #expect(whole.body.contains("too late"))
            let stream = try await server.post("/v1/completions", #"{"prompt": "a", "stream": true}"#)
            #expect(stream.events.count == 1)
            #expect(try JSONParser.parse(Array(stream.events[0].utf8)).at("error.message").text.contains("too late"))
        }
    }

    @Test func `an engine that ends early is a 500, not a truncated response`() async throws {
        let service = ScriptedService(.hold([65]))
        try await TestServer.run(service) { server async throws in
            let connection = try await server.connect()
            try await connection.send(TestServer.request("/v1/completions", #"{"prompt": "a"}"#))
            #expect(try await eventually { service.requests.count == 1 })
            service.endEarly()
            #expect(try await connection.response().status == 500)
            try await connection.close()
        }
    }

    @Test func `unknown models, paths and methods are errors`() async throws {
        try await TestServer.run(ScriptedService("x")) { server async throws in
            let model = try await server.post("/v1/completions", #"{"model": "gpt\n-9", "prompt": "a"}"#)
            #expect(model.status == 404)
            #expect(try model.json.at("error.code") == "model_not_found")
            #expect(try model.json.at("error.param") == "model")
            let path = try await server.get("/v1/nothing")
            #expect(path.status == 404)
            #expect(try path.json.at("error.code") == "unknown_url")
            let method = try await server.get("/v1/completions")
            #expect(method.status == 405)
            #expect(method.headers["allow"] == "POST")
            #expect(try method.json.at("error.message").text.contains("GET"))
            #expect(try await server.get("/v1/models/nothing").status == 404)
        }
    }

    @Test func `a body over the limit is a 413, with or without Content-Length, and the connection stays open`()
        async throws
    {
        try await TestServer.run(ScriptedService("x"), options: { $0.maxBodyByteCount = 100 }) { server async throws in
            let connection = try await server.connect()
            let body = #"{"prompt": "\#(String(repeating: "a", count: 200))"}"#
            try await connection.send(TestServer.request("/v1/completions", body))
            let announced = try await connection.response()
            #expect(announced.status == 413)
            #expect(try announced.json.at("error.message").text.contains("100 bytes"))
            let chunk = "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
            try await connection.send(
                "POST /v1/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)")
            #expect(try await connection.response().status == 413)
            try await connection.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await connection.response().status == 200)
            try await connection.close()
        }
    }

    @Test func `a malformed or too large head ends only its connection`() async throws {
        try await TestServer.run(ScriptedService("x")) { server async throws in
            for head in [
                "\u{0}\u{1}garbage\r\n\r\n", "GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 200_000))\r\n\r\n",
            ] {
                let connection = try await server.connect()
                try? await connection.send(head)
                #expect(try await connection.waitForEnd())
            }
            #expect(try await server.get("/health").status == 200)
        }
    }
}
