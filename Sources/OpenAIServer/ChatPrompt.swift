import ChatTemplates
import JSON
import Tokenization

/// Renders the messages of a request with the model's chat template and tokenizes the result.
struct ChatPrompt {
    private let messages: ChatMessages
    private let tools: [JSONValue]?
    private let documents: [JSONValue]?
    private let variables: [JSONObject.Member]
    private let addsGenerationPrompt: Bool
    private let continuesFinalMessage: Bool
    private let addsSpecialTokens: Bool

    /// Reads `messages`, `tools`, `documents` and how the prompt ends.
    init(_ fields: Fields) throws(ServerError) {
        guard !fields.has("chat_template") else {
            throw fields.error("chat_template", "templates from requests are refused, the model's own is used")
        }
        messages = try ChatMessages(fields)
        tools = try Self.tools(fields)
        documents = try fields.array("documents")
        for (index, document) in (documents ?? []).enumerated() {
            _ = try Fields(document, path: fields.path("documents[\(index)]")).object()
        }
        var variables = try fields.object("chat_template_kwargs")?.members ?? []
        for variable in variables where Self.reserved.contains(variable.key) {
            throw fields.error("chat_template_kwargs", "may not set '\(variable.key)'")
        }
        if let effort = try fields.string("reasoning_effort") {
            variables.append(JSONObject.Member(key: "reasoning_effort", value: .string(effort)))
        }
        self.variables = variables
        continuesFinalMessage = try fields.bool("continue_final_message") ?? false
        let adds = try fields.bool("add_generation_prompt")
        addsGenerationPrompt = adds ?? !continuesFinalMessage
        guard !continuesFinalMessage || !addsGenerationPrompt else {
            throw fields.error("continue_final_message", "needs add_generation_prompt: false")
        }
        // Templates write the beginning-of-text token themselves.
        addsSpecialTokens = try fields.bool("add_special_tokens") ?? false
    }

    /// Variables that `chat_template_kwargs` must not set.
    private static let reserved: Set<String> = ["messages", "tools", "documents", "bos_token", "eos_token"]

    /// The tools that the model may call; nil: none.
    private static func tools(_ fields: Fields) throws(ServerError) -> [JSONValue]? {
        let tools = try fields.array("tools")
        for (index, tool) in (tools ?? []).enumerated() {
            let tool = try Fields(tool, path: fields.path("tools[\(index)]")).object()
            let type = try tool.string("type")
            guard type == nil || type == "function", try tool.object("function")?.string("name") != nil else {
                throw .invalidField(tool.path, "expected an object with type 'function' and a function with a name")
            }
        }
        switch fields.value("tool_choice") {
        case nil, .string("auto"): return tools?.isEmpty == true ? nil : tools
        case .string("none"): return nil
        default: throw fields.error("tool_choice", "only 'auto' and 'none' are supported")
        }
    }

    /// The template for this request. Throws if the model has none, or if it does not read the tools or documents that
    /// the client sent.
    private func template(_ service: any CompletionService) throws(ServerError) -> ChatTemplate {
        guard let templates = service.chatTemplates else {
            throw .invalidField("messages", "this model has no chat template; use /v1/completions")
        }
        guard let template = templates.template(hasTools: tools != nil) else {
            let names = templates.names.joined(separator: ", ")
            throw .invalidField("messages", "this model has the chat templates \(names), and none named default")
        }
        if tools != nil, !template.reads("tools") {
            throw .invalidField(
                "tools", "this model's chat template has no place for tools; leave them out, or send tool_choice: none")
        }
        if documents?.isEmpty == false, !template.reads("documents") {
            throw .invalidField("documents", "this model's chat template has no place for documents")
        }
        return template
    }

    /// The prompt's tokens. Throws if the model has no template or its template refuses the messages.
    func encode(_ service: any CompletionService, specialTexts: ByteTrie) throws(ServerError) -> [Int32] {
        let template = try template(service)
        for variable in variables where service.specialTokens[variable.key] != nil {
            throw .invalidField("chat_template_kwargs", "may not set '\(variable.key)'")
        }
        let objects = messages.values(template.contentFormat).map(JSONValue.object)
        var strings: [String] = []
        for value in objects + (tools ?? []) + (documents ?? []) + variables.map(\.value) {
            value.collectStrings(&strings)
        }
        var guarded = try SpecialTextGuard(service.tokenizer, specialTexts, strings: strings)
        var extra: [String: JSONValue] = [:]
        for variable in variables { extra[variable.key] = variable.value.mappingStrings { guarded.marked($0) } }
        if let tools { extra["tools"] = JSONValue.array(tools).mappingStrings { guarded.marked($0) } }
        if let documents { extra["documents"] = JSONValue.array(documents).mappingStrings { guarded.marked($0) } }
        var marked: [JSONValue] = []
        for object in objects {
            var message = object.mappingStrings { guarded.marked($0) }
            if case .object(var keys) = message, case .string(var role)? = object["role"] {
                // OpenAI's newer name of the role `system`, which most templates do not support.
                if role == "developer", !template.hasLiteral(role) { role = "system" }
                let isKnown = ChatMessages.knownRoles.contains(role) || template.hasLiteral(role)
                keys["role"] = .string(isKnown ? guarded.marked(role) : guarded.markedInside(role))
                message = .object(keys)
            }
            marked.append(message)
        }
        var rendered: String
        do {
            rendered = try template.render(
                messages: marked, addGenerationPrompt: addsGenerationPrompt, extra: extra,
                specialTokens: service.specialTokens)
        } catch {
            throw .invalidField("messages", "the chat template refused them: \(String(describing: error).inOneLine)")
        }
        if continuesFinalMessage {
            guard let content = messages.lastText(template.contentFormat) else {
                throw .invalidField("continue_final_message", "the last message has no text")
            }
            rendered = try Self.cut(rendered, after: guarded.marked(content))
        }
        return guarded.encode(rendered, addSpecialTokens: addsSpecialTokens)
    }

    /// `rendered` up to the end of the last occurrence of `message`, which the template may have trimmed.
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
