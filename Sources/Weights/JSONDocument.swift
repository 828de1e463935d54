internal import JSON
internal import Tensors

/// A JSON file whose root is an object; looks keys up with errors that name file and key.
struct JSONDocument: Sendable {
    let file: String
    let members: [String: JSONValue]
    /// The keys that lead here from the root, each with a full stop after it.
    private var prefix = ""

    /// Reads and parses `file`.
    init(file: String) throws(WeightLoadingError) {
        let memory = try mapFile(file)
        guard !memory.bytes.isEmpty else { throw .malformed(file: file, reason: "the file is empty") }
        let value: JSONValue
        do {
            value = try withExtendedLifetime(memory) { () throws(JSONError) in
                try JSONParser.parse(memory.bytes, options: .configurations)
            }
        } catch {
            throw .malformed(file: file, reason: error.description)
        }
        guard case .object(let object) = value else {
            throw .malformed(file: file, reason: "the root is \(value.summary), not an object")
        }
        self.init(file: file, object)
    }

    private init(file: String, _ object: JSONObject) {
        self.file = file
        members = object.dictionary
    }

    /// The value of `key`; nil when absent or null.
    func value(_ key: String) -> JSONValue? {
        guard let value = members[key], value != .null else { return nil }
        return value
    }

    /// The integer at `key`; nil when absent or null. A number such as `2.0` counts.
    func integer(_ key: String) throws(WeightLoadingError) -> Int? {
        switch value(key) {
        case nil: return nil
        case .integer(let integer): return integer
        case .number(let number) where Int(exactly: number) != nil: return Int(number)
        case .some(let other): throw illTyped(key, "an integer", other)
        }
    }

    /// The finite number at `key`; nil when absent or null.
    func number(_ key: String) throws(WeightLoadingError) -> Double? {
        switch value(key) {
        case nil: return nil
        case .some(let value):
            guard let number = value.double, number.isFinite else { throw illTyped(key, "a finite number", value) }
            return number
        }
    }

    /// The boolean at `key`; nil when absent or null.
    func bool(_ key: String) throws(WeightLoadingError) -> Bool? {
        switch value(key) {
        case nil: return nil
        case .bool(let bool): return bool
        case .some(let other): throw illTyped(key, "true or false", other)
        }
    }

    /// The string at `key`; nil when absent or null.
    func string(_ key: String) throws(WeightLoadingError) -> String? {
        switch value(key) {
        case nil: return nil
        case .string(let string): return string
        case .some(let other): throw illTyped(key, "a string", other)
        }
    }

    /// The object at `key`; nil when absent or null.
    func object(_ key: String) throws(WeightLoadingError) -> JSONDocument? {
        switch value(key) {
        case nil: return nil
        case .object(let object):
            var document = JSONDocument(file: file, object)
            document.prefix = path(key) + "."
            return document
        case .some(let other): throw illTyped(key, "an object", other)
        }
    }

    /// `key` with the keys that lead to it.
    func path(_ key: String) -> String { prefix + key }

    /// The error for `key` holding `found`.
    func illTyped(_ key: String, _ expected: String, _ found: JSONValue) -> WeightLoadingError {
        .illTypedKey(file: file, key: path(key), expected: expected, found: found.summary)
    }
}

extension JSONParser.Options {
    /// How configurations are read: as Python does. Of a key that appears twice the last value counts, and `json.dump` may
    /// have written `NaN`.
    static var configurations: JSONParser.Options {
        var options = JSONParser.Options()
        options.acceptsNonFiniteNumbers = true
        return options
    }

    /// How headers of safetensors files are read: a tensor named twice is an error.
    static var headers: JSONParser.Options {
        var options = JSONParser.Options.configurations
        options.rejectsDuplicateKeys = true
        return options
    }
}

extension JSONObject {
    /// The members by name.
    var dictionary: [String: JSONValue] {
        Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }
}
