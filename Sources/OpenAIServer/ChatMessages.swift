import ChatTemplates
import JSON

/// The checked `messages` of a chat: roles are strings, contents are text, arguments of tool calls are objects. All
/// other keys are passed to the template unchanged.
///
/// Agents that use OpenAI's SDK send back the assistant's whole message, with `content: null` beside its tool calls and
/// null for unused keys. Keys with null are left out, as in transformers.
struct ChatMessages {
    /// Roles in templates of published models.
    static let knownRoles: Set<String> = [
        "system", "developer", "user", "assistant", "tool", "function", "ipython", "model", "observation",
    ]

    private struct Message {
        let role: String
        /// Text parts, objects with `type` and `text`; nil: the message has no content.
        let parts: [JSONObject]?
        /// All keys that have a value, in the client's order; the value of `content` is a placeholder.
        let keys: JSONObject
    }
    private var messages: [Message] = []

    /// Reads and checks `messages` of `fields`.
    init(_ fields: Fields) throws(ServerError) {
        guard let array = try fields.array("messages") else {
            throw fields.error("messages", "is required and must be an array of objects")
        }
        guard !array.isEmpty else { throw fields.error("messages", "must not be empty") }
        for (index, value) in array.enumerated() {
            messages.append(try Self.message(Fields(value, path: fields.path("messages[\(index)]")).object()))
        }
    }

    /// The messages as objects with their content in `format`, as in vLLM: a missing content is an empty string or an
    /// empty list of parts. Content of tools is always a string, because few templates read parts there.
    func values(_ format: ContentFormat) -> [JSONObject] {
        messages.map { message in
            var object = JSONObject()
            let content =
                format == .string || message.role == "tool"
                ? .string(Self.joined(message.parts ?? [])) : JSONValue.array((message.parts ?? []).map { .object($0) })
            for member in message.keys.members {
                object.append(member.key, member.key == "content" ? content : member.value)
            }
            return object
        }
    }

    /// The text that `continue_final_message` continues: the last message, with `.parts` its last part; nil: it has no
    /// text.
    func lastText(_ format: ContentFormat) -> String? {
        guard let parts = messages.last?.parts else { return nil }
        return format == .string ? Self.joined(parts) : parts.last.flatMap { Self.text($0) }
    }

    private static func joined(_ parts: [JSONObject]) -> String {
        parts.compactMap { text($0) }.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private static func text(_ part: JSONObject) -> String? {
        if case .string(let text)? = part["text"] { text } else { nil }
    }

    private static func message(_ fields: Fields) throws(ServerError) -> Message {
        let role = try fields.requiredString("role")
        let parts = try content(fields, role: role)
        var keys = JSONObject()
        keys.append("role", .string(role))
        keys.append("content", .null)
        for member in fields.members where member.value != .null {
            switch member.key {
            case "role", "content": break
            case "tool_calls":
                let calls = try toolCalls(fields)
                // Templates treat the presence of the key as a call.
                if !calls.isEmpty { keys.append(member.key, .array(calls)) }
            default: keys.append(member.key, member.value)
            }
        }
        nameReasoning(&keys)
        return Message(role: role, parts: parts, keys: keys)
    }

    /// Copies the reasoning under all names that templates use, because clients send only one of them.
    private static func nameReasoning(_ keys: inout JSONObject) {
        let names = ["reasoning_content", "thinking", "reasoning"]
        var reasoning: JSONValue?
        for name in names where reasoning == nil { reasoning = keys[name] }
        guard let reasoning else { return }
        for name in names where keys[name] == nil { keys.append(name, reasoning) }
    }

    private static func content(_ fields: Fields, role: String) throws(ServerError) -> [JSONObject]? {
        let parts: [JSONValue]
        switch fields.members.last(where: { $0.key == "content" })?.value {
        case nil: return nil
        // Only these roles may have no content, as in OpenAI's API and in vLLM.
        case .null where role == "assistant" || role == "function": return nil
        case .string(let text): return [textPart(text)]
        case .array(let array): parts = array
        case let other?:
            throw fields.error("content", "expected a string or an array of text parts, found \(other.kind)")
        }
        var read: [JSONObject] = []
        for (index, part) in parts.enumerated() {
            if case .string(let text) = part {
                read.append(textPart(text))
            } else if let part = try self.part(Fields(part, path: fields.path("content[\(index)]")).object()) {
                read.append(part)
            }
        }
        return read
    }

    private static func textPart(_ text: String) -> JSONObject {
        var part = JSONObject()
        part.append("type", "text")
        part.append("text", .string(text))
        return part
    }

    /// Keys of parts that this server reads or drops; others are passed to the template.
    private static let partKeys: Set<String> = [
        "type", "text", "refusal", "thinking", "closed", "image_url", "input_audio", "file", "audio_url", "video_url",
        "uuid", "data", "name",
    ]

    /// A text part; nil: its text is null.
    private static func part(_ fields: Fields) throws(ServerError) -> JSONObject? {
        let type = try fields.requiredString("type")
        let key: String
        switch type {
        case "text", "input_text", "output_text": key = "text"
        case "refusal", "thinking": key = type
        default: throw fields.error("type", "this model reads only text, found a part of type '\(type.inOneLine)'")
        }
        guard fields.members.contains(where: { $0.key == key }) else {
            throw fields.error(key, "is required and must be a string")
        }
        guard let text = try fields.string(key) else { return nil }
        var part = textPart(text)
        for member in fields.members where !partKeys.contains(member.key) { part.append(member.key, member.value) }
        return part
    }

    /// The assistant's tool calls. Their arguments are strings in OpenAI's API and objects for templates.
    private static func toolCalls(_ fields: Fields) throws(ServerError) -> [JSONValue] {
        var calls: [JSONValue] = []
        for (index, call) in (try fields.array("tool_calls") ?? []).enumerated() {
            calls.append(try toolCall(Fields(call, path: fields.path("tool_calls[\(index)]")).object()))
        }
        return calls
    }

    private static func toolCall(_ fields: Fields) throws(ServerError) -> JSONValue {
        if let type = try fields.string("type"), type != "function" {
            throw fields.error("type", "expected 'function', found '\(type.inOneLine)'")
        }
        guard let function = try fields.object("function") else { throw fields.error("function", "is required") }
        _ = try function.requiredString("name")
        var body = JSONObject()
        for member in function.members where member.key != "arguments" { body.append(member.key, member.value) }
        body.append("arguments", .object(arguments(function.value("arguments"))))
        var call = JSONObject()
        for member in fields.members {
            call.append(member.key, member.key == "function" ? .object(body) : member.value)
        }
        return .object(call)
    }

    /// The arguments as an object. A model may have written malformed arguments; refusing them would end the
    /// conversation, so they are replaced by an empty object, as in vLLM.
    private static func arguments(_ value: JSONValue?) -> JSONObject {
        switch value {
        case .object(let object): return object
        case .string(let text):
            var options = JSONParser.Options()
            options.acceptsNonFiniteNumbers = true
            guard case .object(let object)? = try? JSONParser.parse(Array(text.utf8), options: options) else {
                return JSONObject()
            }
            return object
        default: return JSONObject()
        }
    }
}
