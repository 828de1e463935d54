import ChatTemplates
import FoundationEssentials
import JSON
import Testing

@Suite("Chat templates of models")
struct ChatTemplateTests {
    /// The chat template of SmolLM2.
    static let smolLM2 = """
        {% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
        You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
        ' }}{% endif %}{{'<|im_start|>' + message['role'] + '
        ' + message['content'] + '<|im_end|>' + '
        '}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
        ' }}{% endif %}
        """

    @Test("SmolLM2's template renders as in transformers")
    func smolLM2() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Goldens/smollm2-tokenizer.json")
        let chats = try #require(try JSONParser.parse(Array(Data(contentsOf: url)))["chats"]).elements
        #expect(!chats.isEmpty)
        let template = try ChatTemplate(Self.smolLM2)
        for chat in chats {
            let text = try template.render(
                messages: try #require(chat["messages"]).elements,
                addGenerationPrompt: chat["addGenerationPrompt"] == .bool(true))
            #expect(text.scalars == chat["text"]?.text?.scalars)
        }
    }

    @Test("extra variables do not replace the parameters, but all other variables")
    func variables() throws {
        let template = try ChatTemplate(
            "{{ messages|length }}{{ add_generation_prompt }}{{ bos_token }}{{ eos_token }}{{ tools }}{{ x }}")
        let extra: [String: JSONValue] = [
            "messages": [1, 2, 3], "add_generation_prompt": 5, "bos_token": "evil", "eos_token": "E", "tools": [7],
            "x": "y",
        ]
        let text = try template.render(
            messages: [], addGenerationPrompt: true, extra: extra, specialTokens: ["bos_token": "B"])
        #expect(text == "0TrueBE[7]y")
        #expect(try template.render(messages: [], addGenerationPrompt: false) == "0FalseNone")
    }

    @Test("strftime_now reads the caller's clock")
    func clock() throws {
        let template = try ChatTemplate("{{ strftime_now('%Y-%m-%d %H:%M:%S.%f|%z%Z|') }}{{ strftime_now('') }}")
        func text(_ microseconds: Int64) throws -> String {
            try template.render(
                messages: [], addGenerationPrompt: false, clock: TemplateClock(isUTC: true) { microseconds })
        }
        #expect(try text(0) == "1970-01-01 00:00:00.000000||")
        #expect(try text(-1) == "1969-12-31 23:59:59.999999||")
        #expect(try text(1_709_210_096_000_007) == "2024-02-29 12:34:56.000007||")
        let year = try ChatTemplate("{{ strftime_now('%Y') }}").render(messages: [], addGenerationPrompt: false)
        #expect(Int(year)! >= 2025)
        let long = try ChatTemplate("{{ strftime_now('%c' * 1000) }}")
        #expect(throws: TemplateError.self) { try long.render(messages: [], addGenerationPrompt: false) }
    }

    @Test("one template renders in many tasks at once")
    func concurrency() async throws {
        let template = try ChatTemplate(Self.smolLM2)
        let texts = await withTaskGroup(of: String?.self, returning: [String?].self) { group in
            for index in 0..<32 {
                group.addTask {
                    try? template.render(
                        messages: [["role": "user", "content": .string("\(index)")]], addGenerationPrompt: true)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(texts.map { $0 ?? "" }).count == 32)
    }

    @Test("values nested too deeply are refused")
    func deepValues() throws {
        var value: JSONValue = 1
        for _ in 0..<1000 { value = [value] }
        let template = try ChatTemplate("x")
        #expect(throws: TemplateError.self) {
            try template.render(messages: [value], addGenerationPrompt: false)
        }
    }

    @Test("a long chat does not exceed the limits")
    func longChat() throws {
        let messages: [JSONValue] = (0..<2000).map { index in
            [
                "role": .string(index % 2 == 0 ? "user" : "assistant"),
                "content": .string(String(repeating: "word ", count: 100)),
            ]
        }
        let goldens = try TemplateFixture.goldens.get()
        for family in goldens["families"]?.elements ?? [] {
            let template = try ChatTemplate(try #require(family["template"]?.text))
            #expect(throws: Never.self) {
                _ = try template.render(
                    messages: messages, addGenerationPrompt: true,
                    specialTokens: ["bos_token": "", "eos_token": ""])
            }
        }
    }
}
