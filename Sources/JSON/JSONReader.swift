import Synchronization

/// A JSON value that is not what its reader expected.
public struct JSONMismatch: Sendable, Equatable {
    /// The file that holds the value; empty for the body of a request.
    public var file: String
    /// The keys and indices that lead to the value: `messages[0].role`. Empty for the outermost value.
    public var path: String
    /// What was expected: `an integer`.
    public var expected: String
    /// The value; nil: it is missing.
    public var found: JSONValue?
}

/// An error that can report a `JSONMismatch`, in the words of its module.
public protocol JSONReadingError: Error {
    init(_ mismatch: JSONMismatch)
}

/// A value within a JSON text, with the path that leads to it. It is read by type, and every error names file and path.
///
/// There are two ways to read. `reader["model"]["type"].string()` requires a string. `reader.string("type")` reads a
/// member of an object: the result is nil where the key is absent or its value is null.
///
/// ```swift
/// let config = JSONReader<WeightLoadingError>(value, file: "config.json")
/// let layerCount = try config.integer("num_hidden_layers") ?? 32
/// // config.json: key num_hidden_layers must be an integer, found the string "12"
/// ```
public struct JSONReader<Failure: JSONReadingError>: Sendable {
    /// The file that holds the value; empty for the body of a request.
    public let file: String
    /// The keys and indices that lead to the value: `messages[0].role`. Empty for the outermost value.
    public let path: String
    /// The value; nil: it is missing.
    public let value: JSONValue?
    private let readKeys: ReadKeys?

    /// A reader of `value` at `path`. With `recordsReads`, `unreadKeys` lists the members that were not read.
    public init(_ value: JSONValue?, file: String = "", path: String = "", recordsReads: Bool = false) {
        self.file = file
        self.path = path
        self.value = value
        readKeys = recordsReads ? ReadKeys() : nil
    }

    /// The path of the member `key`.
    public func path(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The member `key`; it is missing where this is not an object that has it.
    public subscript(key: String) -> JSONReader {
        readKeys?.insert(key)
        return JSONReader(value?[key], file: file, path: path(key))
    }

    /// The error that the value is not what was expected.
    public func error(expected: String) -> Failure {
        Failure(JSONMismatch(file: file, path: path, expected: expected, found: value))
    }

    /// The error that the member `key`, or a part `found` of it, is not what was expected.
    public func error(_ key: String, expected: String, found: JSONValue?) -> Failure {
        Failure(JSONMismatch(file: file, path: path(key), expected: expected, found: found))
    }
}

/// Reading the value itself.
extension JSONReader {
    /// Whether the value is missing. Null is not missing.
    public var isMissing: Bool { value == nil }

    /// Whether the value is missing or null.
    public var isNull: Bool {
        switch value {
        case nil, .null: true
        default: false
        }
    }

    private func read<Result>(_ expected: String, _ convert: (JSONValue) -> Result?) throws(Failure) -> Result {
        guard let result = value.flatMap(convert) else { throw error(expected: expected) }
        return result
    }

    public func string() throws(Failure) -> String { try read("a string", \.asString) }

    public func bool() throws(Failure) -> Bool { try read("true or false", \.asBool) }

    /// The elements of an array.
    public func elements() throws(Failure) -> [JSONReader] {
        try read("an array", \.asArray).enumerated().map { index, element in
            JSONReader(element, file: file, path: "\(path)[\(index)]")
        }
    }

    /// This reader, if its value is an object.
    public func object() throws(Failure) -> JSONReader {
        _ = try read("an object", \.asObject)
        return self
    }

    /// The members of an object, in the order of the text and with duplicates; none where the value is not an object.
    public var members: [JSONObject.Member] { value?.asObject?.members ?? [] }

    /// The keys that have a value, in the order of the text, whose member was not read.
    ///
    /// - Precondition: the reader records reads.
    public var unreadKeys: [String] {
        guard let readKeys else { preconditionFailure("the reader does not record reads") }
        return members.filter { $0.value != .null && !readKeys.contains($0.key) }.map(\.key)
    }
}

/// Reading members of an object; nil where the key is absent or its value is null.
extension JSONReader {
    public func value(_ key: String) -> JSONValue? {
        readKeys?.insert(key)
        guard let member = value?[key], member != .null else { return nil }
        return member
    }

    /// Whether `key` has a value other than null.
    public func has(_ key: String) -> Bool { value(key) != nil }

    private func read<Result>(
        _ key: String, _ expected: String, _ convert: (JSONValue) -> Result?
    ) throws(Failure) -> Result? {
        guard let member = value(key) else { return nil }
        guard let result = convert(member) else { throw error(key, expected: expected, found: member) }
        return result
    }

    public func string(_ key: String) throws(Failure) -> String? { try read(key, "a string", \.asString) }

    public func bool(_ key: String) throws(Failure) -> Bool? { try read(key, "true or false", \.asBool) }

    /// An integer. A number without a fraction, such as `2.0`, is one.
    public func integer(_ key: String) throws(Failure) -> Int? { try read(key, "an integer", \.asInteger) }

    /// A finite number.
    public func number(_ key: String) throws(Failure) -> Double? {
        try read(key, "a finite number") { value in value.double.flatMap { $0.isFinite ? $0 : nil } }
    }

    public func array(_ key: String) throws(Failure) -> [JSONValue]? { try read(key, "an array", \.asArray) }

    public func object(_ key: String) throws(Failure) -> JSONReader? {
        try value(key).map { member throws(Failure) in
            try JSONReader(member, file: file, path: path(key)).object()
        }
    }
}

extension JSONValue {
    fileprivate var asString: String? { if case .string(let text) = self { text } else { nil } }
    fileprivate var asBool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    fileprivate var asArray: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
    fileprivate var asObject: JSONObject? { if case .object(let object) = self { object } else { nil } }

    fileprivate var asInteger: Int? {
        switch self {
        case .integer(let integer): integer
        case .number(let number): Int(exactly: number)
        default: nil
        }
    }
}

/// The keys that were read. A class, because reading does not change a `JSONReader`.
private final class ReadKeys: Sendable {
    private let keys = Mutex<Set<String>>([])

    func insert(_ key: String) { keys.withLock { _ = $0.insert(key) } }

    func contains(_ key: String) -> Bool { keys.withLock { $0.contains(key) } }
}
