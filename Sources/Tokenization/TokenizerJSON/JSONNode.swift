import JSON

/// A value within a JSON file, and the key path that leads to it: what an error about it has to name.
struct JSONNode {
    let file: String
    let key: String
    /// `nil`: the key is missing.
    let value: JSONValue?

    init(file: String, key: String, value: JSONValue?) {
        self.file = file
        self.key = key
        self.value = value
    }

    /// The value of a key; a missing one where this is not an object.
    subscript(name: String) -> JSONNode {
        JSONNode(file: file, key: key.isEmpty ? name : "\(key).\(name)", value: value?.member(name))
    }

    /// Whether the key is missing or its value is null.
    var isNull: Bool { value == nil || value == .null }

    /// That this value is not what was expected.
    func error(expected: String) -> TokenizationError {
        .unsupported(file: file, key: key.isEmpty ? "(the whole file)" : key, expected: expected, found: found)
    }

    private var found: String {
        switch value {
        case nil: return "nothing"
        case .null: return "null"
        case .bool(let value): return "\(value)"
        case .integer(let value): return "\(value)"
        case .bigInteger(let digits): return String(digits.prefix(40))
        case .number(let value): return "\(value)"
        case .string(let value):
            return value.utf8.count <= 200
                ? "\"\(value)\"" : "\"\(String(decoding: value.utf8.prefix(200), as: UTF8.self))…\""
        case .array: return "an array"
        case .object: return "an object"
        }
    }

    func string() throws(TokenizationError) -> String {
        guard case .string(let string) = value else { throw error(expected: "a string") }
        return string
    }

    func int() throws(TokenizationError) -> Int {
        guard case .integer(let int) = value else { throw error(expected: "an integer") }
        return int
    }

    /// The truth value, or `fallback` where there is none.
    func bool(default fallback: Bool) throws(TokenizationError) -> Bool {
        if isNull { return fallback }
        guard case .bool(let bool) = value else { throw error(expected: "true or false") }
        return bool
    }

    /// The elements of an array.
    func elements() throws(TokenizationError) -> [JSONNode] {
        guard case .array(let elements) = value else { throw error(expected: "an array") }
        return elements.enumerated().map { JSONNode(file: file, key: "\(key)[\($0.offset)]", value: $0.element) }
    }

    /// The names and values of an object.
    func members() throws(TokenizationError) -> [JSONObject.Member] {
        guard case .object(let object) = value else { throw error(expected: "an object") }
        return object.members
    }

    /// Refuses any value but null and those in `allowed`.
    func requireAbsent(or allowed: JSONValue...) throws(TokenizationError) {
        if isNull { return }
        if let value, allowed.contains(value) { return }
        throw error(expected: "null")
    }
}

extension JSONValue {
    fileprivate func member(_ name: String) -> JSONValue? {
        if case .object(let object) = self { object[name] } else { nil }
    }
}
