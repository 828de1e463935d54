import JSON

/// The `messages` of a chat in the shape that templates expect: contents are strings, roles are known.
struct ChatMessages {
    /// Roles a client may use.
    static let roles = ["system", "developer", "user", "assistant", "tool"]

    /// The messages, each an object.
    private(set) var values: [JSONObject] = []

    /// Reads and checks `messages` of `fields`.
    init(_ fields: Fields) throws(ServerError) {
        guard let array = try fields.array("messages") else {
            throw fields.error("messages", "is required and must be an array of objects")
        }
        guard !array.isEmpty else { throw fields.error("messages", "must not be empty") }
        for (index, value) in array.enumerated() {
            values.append(try Self.message(Fields(value, path: fields.name("messages[\(index)]"))))
        }
    }

    /// The last message's role and content.
    var last: (role: JSONValue?, content: JSONValue?) { (values.last?["role"], values.last?["content"]) }

    private static func message(_ fields: Fields) throws(ServerError) -> JSONObject {
        var role = try fields.requiredString("role")
        guard roles.contains(role) else {
            let known = roles.joined(separator: ", ")
            throw fields.error("role", "expected one of \(known), found '\(role.inOneLine)'")
        }
        // OpenAI's newer name; templates know the older one.
        if role == "developer" { role = "system" }
        let content = try content(fields)
        let calls = try fields.array("tool_calls")
        if content == .null, role != "assistant" || (calls ?? []).isEmpty {
            throw fields.error("content", "is required and must be a string or an array of text parts")
        }
        var message = JSONObject()
        message.append("role", .string(role))
        message.append("content", content)
        for key in ["name", "tool_call_id", "reasoning_content"] {
            if let text = try fields.string(key) { message.append(key, .string(text)) }
        }
        if let calls {
            var read: [JSONValue] = []
            for (index, call) in calls.enumerated() {
                read.append(try toolCall(Fields(call, path: fields.name("tool_calls[\(index)]"))))
            }
            message.append("tool_calls", .array(read))
        }
        return message
    }

    private static func content(_ fields: Fields) throws(ServerError) -> JSONValue {
        let parts: [JSONValue]
        switch fields.value("content") {
        case nil: return .null
        case .string(let text): return .string(text)
        case .array(let array): parts = array
        case let other?:
            throw fields.error("content", "expected a string or an array of text parts, found \(other.kind)")
        }
        var texts: [String] = []
        for (index, part) in parts.enumerated() {
            let part = try Fields(part, path: fields.name("content[\(index)]"))
            let type = try part.requiredString("type")
            guard ["text", "input_text", "output_text", "refusal"].contains(type) else {
                throw part.error("type", "this model reads only text, found a part of type '\(type.inOneLine)'")
            }
            texts.append(try part.requiredString(type == "refusal" ? "refusal" : "text"))
        }
        return .string(texts.joined(separator: "\n"))
    }

    /// A tool call of the assistant's; templates want its arguments as an object, OpenAI has them as a string.
    private static func toolCall(_ fields: Fields) throws(ServerError) -> JSONValue {
        guard let function = try fields.object("function") else { throw fields.error("function", "is required") }
        var call = JSONObject()
        if let id = try fields.string("id") { call.append("id", .string(id)) }
        call.append("type", "function")
        var body = JSONObject()
        body.append("name", .string(try function.requiredString("name")))
        switch function.value("arguments") {
        case .string(let text):
            let parsed = try? JSONParser.parse(Array(text.utf8))
            if case .object = parsed {
                body.append("arguments", parsed ?? .null)
            } else {
                body.append("arguments", .string(text))
            }
        case let value: body.append("arguments", value ?? [:])
        }
        call.append("function", .object(body))
        return .object(call)
    }
}
