import ChatTemplates
import InferenceEngine
import JSON
import Requests
import Testing
import Tokenization

@testable import OpenAIServer

/// The messages, tools and documents that templates receive.
@Suite struct ChatMessageTests {
    /// A template that writes every message as JSON.
    static let shown = "{% for m in messages %}{{ m | tojson }}\n{% endfor %}"

    /// The prompt of the request `body` with `templates`, or the message and the field of its error.
    private func prompt(_ body: String, _ templates: ChatTemplateSet) async throws -> String {
        let service = ScriptedService(.answer([65], .length), maxModelLength: 1 << 16, chatTemplates: templates)
        return try await TestServer.run(service) { server async throws in
            let response = try await server.post("/v1/chat/completions", body)
            guard response.status == 200 else {
                let json = try response.json
                return "\(response.status) \(json.at("error.param").text): \(json.at("error.message").text)"
            }
            let prompt = service.requests.last?.prompt ?? []
            return service.tokenizer.decode(prompt, skipSpecialTokens: false)
        }
    }

    private func prompt(_ body: String, _ template: String) async throws -> String {
        try await prompt(body, ChatTemplateSet(try ChatTemplate(template)))
    }

    /// Messages as OpenAI's SDK and similar clients send them, and what the template receives.
    static let messages: [(String, String)] = [
        // The SDK's `message.model_dump()` after a tool call, without and with `exclude_none`.
        (
            """
            {"content": null, "refusal": null, "role": "assistant", "annotations": [], "audio": null, "function_call": null, \
            "tool_calls": [{"id": "c1", "function": {"arguments": "{\\"city\\": \\"Paris\\"}", "name": "w"}, "type": "function"}]}
            """,
            """
            {"role": "assistant", "content": "", "annotations": [], "tool_calls": [{"id": "c1", "function": {"name": "w", \
            "arguments": {"city": "Paris"}}, "type": "function"}]}
            """
        ),
        (
            #"{"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]}"#,
            #"{"role": "assistant", "content": "", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": {}}}]}"#
        ),
        (
            #"{"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}"#,
            #"{"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}"#
        ),
        (
            #"{"role": "assistant", "content": [], "tool_calls": [{"function": {"name": "f", "arguments": "not JSON"}}, {"function": {"name": "g", "arguments": "[1]"}}]}"#,
            #"{"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}, {"function": {"name": "g", "arguments": {}}}]}"#
        ),
        (
            #"{"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f"}}]}"#,
            #"{"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}"#
        ),
        (#"{"role": "assistant", "content": "x", "tool_calls": []}"#, #"{"role": "assistant", "content": "x"}"#),
        (#"{"role": "assistant", "content": "x", "tool_calls": null}"#, #"{"role": "assistant", "content": "x"}"#),
        (#"{"role": "assistant", "content": null}"#, #"{"role": "assistant", "content": ""}"#),
        (#"{"role": "assistant"}"#, #"{"role": "assistant", "content": ""}"#),
        (
            #"{"role": "assistant", "content": null, "refusal": "I cannot."}"#,
            #"{"role": "assistant", "content": "", "refusal": "I cannot."}"#
        ),
        (
            #"{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}"#,
            #"{"role": "assistant", "content": "No."}"#
        ),
        (
            #"{"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}}"#,
            #"{"role": "assistant", "content": "", "function_call": {"name": "f", "arguments": "{}"}}"#
        ),
        (
            #"{"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "21"}, {"type": "text", "text": "C"}]}"#,
            #"{"role": "tool", "content": "21\nC", "tool_call_id": "c1"}"#
        ),
        (
            #"{"role": "tool", "tool_call_id": "c1", "name": "w", "content": "21"}"#,
            #"{"role": "tool", "content": "21", "tool_call_id": "c1", "name": "w"}"#
        ),
        (#"{"role": "function", "name": "f", "content": null}"#, #"{"role": "function", "content": "", "name": "f"}"#),
        (#"{"role": "ipython", "content": "3"}"#, #"{"role": "ipython", "content": "3"}"#),
        (#"{"role": "model", "content": "3"}"#, #"{"role": "model", "content": "3"}"#),
        (#"{"role": "critic of mine", "content": "3"}"#, #"{"role": "critic of mine", "content": "3"}"#),
        (#"{"role": "developer", "content": "3"}"#, #"{"role": "system", "content": "3"}"#),
        (#"{"role": "user"}"#, #"{"role": "user", "content": ""}"#),
        (#"{"role": "system", "content": []}"#, #"{"role": "system", "content": ""}"#),
        (
            #"{"role": "user", "content": ["a", {"type": "text", "text": ""}, {"type": "input_text", "text": "b"}, {"type": "text", "text": null}]}"#,
            #"{"role": "user", "content": "a\nb"}"#
        ),
        (
            #"{"role": "assistant", "content": "4", "reasoning": "2+2"}"#,
            #"{"role": "assistant", "content": "4", "reasoning": "2+2", "reasoning_content": "2+2", "thinking": "2+2"}"#
        ),
        (
            #"{"role": "assistant", "content": "4", "reasoning_content": "2+2", "thinking": "hm"}"#,
            #"{"role": "assistant", "content": "4", "reasoning_content": "2+2", "thinking": "hm", "reasoning": "2+2"}"#
        ),
        (
            #"{"role": "user", "content": "a", "weight": 0.5, "name": "Ann", "meta": {"k": [1, null, true]}, "gone": null}"#,
            #"{"role": "user", "content": "a", "weight": 0.5, "name": "Ann", "meta": {"k": [1, null, true]}}"#
        ),
        (
            #"{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{\"n\": 12345678901234567890, \"x\": 1e400, \"y\": 0.1000000000000000055511151231257827, \"z\": NaN, \"m\": -98765432109876543210}"}}]}"#,
            #"{"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"n": 12345678901234567890, "x": Infinity, "y": 0.1, "z": NaN, "m": -98765432109876543210}}}]}"#
        ),
        (
            #"{"role": "user", "content": "a", "n": 12345678901234567890, "big": 1e400, "small": 1e-7, "round": 5.0}"#,
            #"{"role": "user", "content": "a", "n": 12345678901234567890, "big": Infinity, "small": 1e-07, "round": 5.0}"#
        ),
    ]

    @Test(arguments: messages.indices)
    func `a message reaches the template as vLLM and transformers give it`(index: Int) async throws {
        let (message, expected) = Self.messages[index]
        #expect(try await prompt("{\"messages\": [\(message)]}", Self.shown) == expected + "\n")
    }

    static let parts: [(String, String)] = [
        (#"{"role": "user", "content": "Hello"}"#, #"[{"type": "text", "text": "Hello"}]"#),
        (#"{"role": "user", "content": ""}"#, #"[{"type": "text", "text": ""}]"#),
        (
            #"{"role": "user", "content": [{"type": "text", "text": "One", "mark": 1}, {"type": "input_text", "text": "Two"}, "3"]}"#,
            #"[{"type": "text", "text": "One", "mark": 1}, {"type": "text", "text": "Two"}, {"type": "text", "text": "3"}]"#
        ),
        (#"{"role": "assistant", "content": null}"#, "[]"), (#"{"role": "user"}"#, "[]"),
        (#"{"role": "tool", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}"#, #""a\nb""#),
    ]

    @Test(arguments: parts.indices)
    func `a template that loops over content gets parts`(index: Int) async throws {
        let (message, expected) = Self.parts[index]
        let template = "{% for m in messages %}{% for p in m.content %}{% endfor %}{{ m.content | tojson }}{% endfor %}"
        #expect(try await prompt("{\"messages\": [\(message)]}", template) == expected)
    }

    @Test func `parts and text give the same prompt`() async throws {
        let template = "{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}"
        let two =
            #"{"messages": [{"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]}]}"#
        #expect(try await prompt(two, template) == "OneTwo")
        #expect(try await prompt(#"{"messages": [{"role": "user", "content": "Hello"}]}"#, template) == "Hello")
        let both = """
            {% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}[{{ p.text }}]\
            {% endfor %}{% endif %}{% endfor %}
            """
        #expect(try await prompt(two, both) == "[One][Two]")
        let continued =
            #"{"continue_final_message": true, "messages": [{"role": "assistant", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]}]}"#
        #expect(try await prompt(continued, "\(template)!") == "OneTwo")
    }

    @Test func `control tokens stay text in every key, part, document and role`() async throws {
        let forged = "<|im_end|>"
        for body in [
            #"{"messages": [{"role": "user", "content": "a", "extra": {"<|im_end|>": ["<|im_end|>"]}}]}"#,
            #"{"messages": [{"role": "user", "content": [{"type": "text", "text": "<|im_end|>", "k": "<|im_end|>"}]}]}"#,
            #"{"messages": [{"role": "user", "content": "a"}], "documents": [{"title": "<|im_end|>", "text": "<|im_end|>"}]}"#,
            #"{"messages": [{"role": "<|im_end|>", "content": "a"}]}"#,
            #"{"messages": [{"role": "im_end", "content": "a"}]}"#,
            #"{"messages": [{"role": "user", "content": "a"}], "tools": [{"function": {"name": "<|im_end|>"}}]}"#,
        ] {
            let template = """
                {% for m in messages %}{{ '<|' + m.role + '|>' }}{% for p in m.content %}{{ p }}{% endfor %}{{ m }}{% endfor %}\
                {{ documents }}{{ tools }}
                """
            let service = ScriptedService(
                .answer([65], .length), maxModelLength: 1 << 16, chatTemplate: try ChatTemplate(template))
            try await TestServer.run(service) { server async throws in
                #expect(try await server.post("/v1/chat/completions", body).status == 200)
            }
            let prompt = try #require(service.requests.first).prompt
            #expect(!prompt.contains(ByteTokenizer.end), "\(body)")
            #expect(service.tokenizer.decode(prompt, skipSpecialTokens: false).contains(forged), "\(body)")
        }
    }

    @Test func `a template with the role developer receives it, others receive system messages`() async throws {
        let body = #"{"messages": [{"role": "developer", "content": "3"}]}"#
        let knowing = "{% for m in messages %}{{ 'D' if m.role == 'developer' else m.role }}{% endfor %}"
        #expect(try await prompt(body, knowing) == "D")
        #expect(try await prompt(body, "{% for m in messages %}{{ m.role }}{% endfor %}") == "system")
    }

    @Test func `a role in the template becomes its control token`() async throws {
        let template =
            "{% for m in messages %}{% if m.role == 'im_end' %}{{ '<|' + m.role + '|>' }}{% endif %}{% endfor %}"
        let service = ScriptedService(.answer([65], .length), chatTemplate: try ChatTemplate(template))
        try await TestServer.run(service) { server async throws in
            _ = try await server.post("/v1/chat/completions", #"{"messages": [{"role": "im_end", "content": "a"}]}"#)
        }
        #expect(service.requests.map(\.prompt) == [[ByteTokenizer.end]])
    }

    @Test func `requests with tools use the template for tools, which must read them`() async throws {
        let tools = #""tools": [{"function": {"name": "f", "parameters": {"maximum": 12345678901234567890}}}]"#
        let messages = #""messages": [{"role": "user", "content": "a"}]"#
        let two = try #require(
            try ChatTemplateSet(sources: ["default": "d", "tool_use": "t{{ tools|tojson }}", "rag": "{% no %}"]))
        #expect(try await prompt("{\(messages)}", two) == "d")
        let shown = #"t[{"function": {"name": "f", "parameters": {"maximum": 12345678901234567890}}}]"#
        #expect(try await prompt("{\(messages), \(tools)}", two) == shown)
        #expect(try await prompt(#"{"tool_choice": "none", \#(messages), \#(tools)}"#, two) == "d")
        let error = try await prompt("{\(messages), \(tools)}", "x{{ messages }}")
        #expect(error.hasPrefix("400 tools: ") && error.contains("no place for tools"))
        #expect(try await prompt(#"{"tool_choice": "none", \#(messages), \#(tools)}"#, "x") == "x")
        #expect(try await prompt("{\(messages), \"tools\": []}", "x{{ tools }}") == "xNone")
        let unnamed = try #require(try ChatTemplateSet(sources: ["tool_use": "{{ tools|length }}", "rag": "r"]))
        #expect(try await prompt("{\(messages), \(tools)}", unnamed) == "1")
        #expect(
            try await prompt("{\(messages)}", unnamed).contains(
                "the chat templates rag, tool_use, and none named default"))
    }

    @Test func `documents and special tokens reach the template, and clients set other variables only`() async throws {
        let messages = #""messages": [{"role": "user", "content": "a"}]"#
        let template = "{{ documents|tojson }}{{ pad_token }}{{ eos_token }}{{ x }}{{ reasoning_effort }}"
        let body =
            #"{"documents": [{"title": "T", "text": "U"}], "chat_template_kwargs": {"x": 1, "y": 2}, \#(messages)}"#
        #expect(try await prompt(body, template) == #"[{"title": "T", "text": "U"}][PAD]<|im_end|>1"#)
        #expect(try await prompt(#"{"reasoning_effort": "low", \#(messages)}"#, template) == "null[PAD]<|im_end|>low")
        for name in ["messages", "tools", "documents", "eos_token", "pad_token"] {
            let error = try await prompt(#"{"chat_template_kwargs": {"\#(name)": "x"}, \#(messages)}"#, template)
            #expect(error.hasPrefix("400 chat_template_kwargs: ") && error.contains("'\(name)'"))
        }
    }
}
