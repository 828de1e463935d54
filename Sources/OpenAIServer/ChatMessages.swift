import ChatTemplates
import JSON

/// The `messages` of a chat, checked: roles are strings, contents are text, arguments of tool calls are objects. All
/// other keys are the template's business and pass through as the client sent them.
///
/// Clients send back what they got: agents of OpenAI's SDK append the assistant's whole message, with `content: null`
/// beside its tool calls and keys that were not used set to null. Null keys are left out, as transformers leaves them out.
struct ChatMessages {
    /// Roles that templates of published models know.
    static let knownRoles: Set<String> = [
        "system", "developer", "user", "assistant", "tool", "function", "ipython", "model", "observation",
    ]

    private struct Message {
        let role: String
        /// Text parts, objects with `type` and `text`; nil: no content.
        let parts: [JSONObject]?
        /// All keys but those without a value, in the client's order; `content` holds a place.
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

    /// The messages, each an object with its content in `format`, as vLLM puts it: texts without content are empty, parts
    /// without content are none; what tools answer is text always, as hardly any template reads it otherwise.
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

    /// The text of the last message, of which with `.parts` only the last part can be continued; nil: it has none.
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
                // Templates take the presence of the key for a call.
                if !calls.isEmpty { keys.append(member.key, .array(calls)) }
            default: keys.append(member.key, member.value)
            }
        }
        nameReasoning(&keys)
        return Message(role: role, parts: parts, keys: keys)
    }

    /// Gives what the model thought the names by which templates read it, whichever of them the client used.
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
        // OpenAI lets only these two have none; vLLM refuses the others as well.
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

    /// Keys of parts that have a meaning of their own; others are for the template.
    private static let partKeys: Set<String> = [
        "type", "text", "refusal", "thinking", "closed", "image_url", "input_audio", "file", "audio_url", "video_url",
        "uuid", "data", "name",
    ]

    /// A part of a content; nil: its text is null.
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

    /// The assistant's calls; templates want their arguments as objects, OpenAI has them as strings.
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

    /// Arguments as an object. A model may have written what is none; refusing it would end the conversation for good, so it
    /// counts as no arguments, as in vLLM.
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
