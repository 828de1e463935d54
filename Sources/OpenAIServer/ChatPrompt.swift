import JSON
import Tokenization

/// Turns the messages of a request into a prompt by the model's own template.
struct ChatPrompt {
    private let messages: ChatMessages
    private let tools: [JSONValue]?
    private let variables: [JSONObject.Member]
    private let addsGenerationPrompt: Bool
    private let continuesFinalMessage: Bool
    private let addsSpecialTokens: Bool

    /// Reads `messages`, `tools` and how the prompt ends.
    init(_ fields: Fields) throws(ServerError) {
        guard !fields.has("chat_template") else {
            throw fields.error("chat_template", "templates from requests are refused, the model's own is used")
        }
        messages = try ChatMessages(fields)
        let tools = try fields.array("tools")
        for (index, tool) in (tools ?? []).enumerated() {
            let tool = try Fields(tool, path: fields.name("tools[\(index)]"))
            guard try tool.string("type") == "function", try tool.object("function")?.string("name") != nil else {
                throw .invalidField(tool.path, "expected an object with type 'function' and a function with a name")
            }
        }
        switch fields.value("tool_choice") {
        case nil, .string("auto"): self.tools = tools?.isEmpty == true ? nil : tools
        case .string("none"): self.tools = nil
        default: throw fields.error("tool_choice", "only 'auto' and 'none' are supported")
        }
        variables = try fields.object("chat_template_kwargs")?.members ?? []
        for variable in variables where ["messages", "tools", "bos_token", "eos_token"].contains(variable.key) {
            throw fields.error("chat_template_kwargs", "may not set '\(variable.key)'")
        }
        continuesFinalMessage = try fields.bool("continue_final_message") ?? false
        let adds = try fields.bool("add_generation_prompt")
        addsGenerationPrompt = adds ?? !continuesFinalMessage
        guard !continuesFinalMessage || !addsGenerationPrompt else {
            throw fields.error("continue_final_message", "needs add_generation_prompt: false")
        }
        // A template writes the beginning-of-text token itself.
        addsSpecialTokens = try fields.bool("add_special_tokens") ?? false
    }

    /// The prompt's tokens. Throws where the model has no template or its template refuses the messages.
    func encode(_ service: any CompletionService, specialTexts: ByteTrie) throws(ServerError) -> [Int32] {
        guard let template = service.chatTemplate else {
            throw .invalidField("messages", "this model has no chat template; use /v1/completions")
        }
        let objects = messages.values.map(JSONValue.object)
        var strings: [String] = []
        for value in objects + (tools ?? []) + variables.map(\.value) { value.collectStrings(&strings) }
        var guarded = try SpecialTextGuard(service.tokenizer, specialTexts, strings: strings)
        var extra: [String: TemplateValue] = [:]
        for variable in variables { extra[variable.key] = TemplateValue(variable.value) { guarded.marked($0) } }
        if let tools { extra["tools"] = TemplateValue(.array(tools)) { guarded.marked($0) } }
        var marked: [TemplateValue] = []
        for object in objects { marked.append(TemplateValue(object) { guarded.marked($0) }) }
        var rendered: String
        do {
            rendered = try template.render(
                messages: marked, addGenerationPrompt: addsGenerationPrompt, extra: extra, bosToken: service.bosToken,
                eosToken: service.eosToken)
        } catch {
            throw .invalidField("messages", "the chat template refused them: \(String(describing: error).inOneLine)")
        }
        if continuesFinalMessage {
            guard case .string(let content)? = messages.last.content else {
                throw .invalidField("continue_final_message", "the last message has no text")
            }
            rendered = try Self.cut(rendered, after: guarded.marked(content))
        }
        return guarded.encode(rendered, addSpecialTokens: addsSpecialTokens)
    }

    /// `rendered` up to the end of its last `message`, whether or not the template trimmed it.
    private static func cut(_ rendered: String, after message: String) throws(ServerError) -> String {
        let bytes = Array(rendered.utf8)
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        let whole = Array(message.utf8.drop(while: isSpace))
        var trimmed = whole[...]
        while let last = trimmed.last, isSpace(last) { trimmed.removeLast() }
        let starts = stride(from: bytes.count - trimmed.count, through: 0, by: -1)
        guard !trimmed.isEmpty, let start = starts.first(where: { bytes[$0...].starts(with: trimmed) }) else {
            throw .invalidField("continue_final_message", "the chat template does not show the last message")
        }
        let count = bytes[start...].starts(with: whole) ? whole.count : trimmed.count
        return String(decoding: bytes[..<(start + count)], as: UTF8.self)
    }
}

extension JSONValue {
    fileprivate func collectStrings(_ strings: inout [String]) {
        switch self {
        case .string(let text): strings.append(text)
        case .array(let values): for value in values { value.collectStrings(&strings) }
        case .object(let object):
            for member in object.members {
                strings.append(member.key)
                member.value.collectStrings(&strings)
            }
        default: break
        }
    }
}
