import JSON
import Synchronization

/// The fields of one JSON object, read by name and type; every error says which field, what was expected and found.
///
/// Null counts as absent and fields that nobody reads are ignored, as OpenAI's clients expect; `unread` has their names.
struct Fields {
    /// Where the object stands in the body: empty, or `messages[0]`.
    let path: String
    private let object: JSONObject
    private let readKeys = ReadKeys()

    /// The body of a request. Throws `invalidField` where `bytes` is no JSON object.
    init(body bytes: [UInt8]) throws(ServerError) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONParser.parse(bytes) } catch {
            let name = error.path.reduce("") { $0.isEmpty ? $1 : Int($1) == nil ? "\($0).\($1)" : "\($0)[\($1)]" }
            throw .invalidField(
                name.isEmpty ? nil : name, "the body is not valid JSON: \(error.problem) at byte \(error.byteOffset)")
        }
        try self.init(value, path: "")
    }

    /// The object `value` at `path`.
    init(_ value: JSONValue, path: String) throws(ServerError) {
        guard case .object(let object) = value else {
            let name = path.isEmpty ? nil : path
            throw .invalidField(name, "\(name ?? "the body"): expected an object, found \(value.kind)")
        }
        self.path = path
        self.object = object
    }

    /// The full name of `key`.
    func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The error that `key` has `problem`.
    func error(_ key: String, _ problem: String) -> ServerError { .invalidField(name(key), problem) }

    /// The value of `key`; nil where absent or null.
    func value(_ key: String) -> JSONValue? {
        readKeys.insert(key)
        guard let value = object[key], value != .null else { return nil }
        return value
    }

    /// Whether `key` has a value.
    func has(_ key: String) -> Bool { value(key) != nil }

    private func mismatch(_ key: String, expected: String, _ found: JSONValue) -> ServerError {
        error(key, "expected \(expected), found \(found.shown)")
    }

    /// A string, of at most `maxByteCount` bytes of UTF-8.
    func string(_ key: String, maxByteCount: Int = .max) throws(ServerError) -> String? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value else { throw mismatch(key, expected: "a string", value) }
        guard text.utf8.count <= maxByteCount else {
            throw error(key, "at most \(maxByteCount) bytes, found \(text.utf8.count)")
        }
        return text
    }

    /// A string that must be there.
    func requiredString(_ key: String) throws(ServerError) -> String {
        guard let text = try string(key) else { throw error(key, "is required and must be a string") }
        return text
    }

    /// True or false.
    func bool(_ key: String) throws(ServerError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .bool(let flag) = value else { throw mismatch(key, expected: "true or false", value) }
        return flag
    }

    /// An integer in `range`. `2.0` is one, as in pydantic.
    func integer(_ key: String, in range: ClosedRange<Int>) throws(ServerError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let integer = value.exactInteger, range.contains(integer) else {
            throw mismatch(key, expected: Self.integers(range), value)
        }
        return integer
    }

    private static func integers(_ range: ClosedRange<Int>) -> String {
        if range == .min ... .max { return "a 64-bit integer" }
        return range.upperBound == .max
            ? "an integer of at least \(range.lowerBound)"
            : "an integer from \(range.lowerBound) to \(range.upperBound)"
    }

    /// A number in `range`.
    func number(_ key: String, in range: ClosedRange<Double>) throws(ServerError) -> Double? {
        guard let value = value(key) else { return nil }
        return try number(value, of: key, in: range)
    }

    /// The value of a key, found while going through all of them, as a number in `range`.
    func number(_ value: JSONValue, of key: String, in range: ClosedRange<Double>) throws(ServerError) -> Double {
        guard let number = value.double, range.contains(number) else {
            throw mismatch(key, expected: "a number from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return number
    }

    /// An array of anything.
    func array(_ key: String) throws(ServerError) -> [JSONValue]? {
        guard let value = value(key) else { return nil }
        guard case .array(let values) = value else { throw mismatch(key, expected: "an array", value) }
        return values
    }

    /// An object.
    func object(_ key: String) throws(ServerError) -> Fields? {
        guard let value = value(key) else { return nil }
        return try Fields(value, path: name(key))
    }

    /// All keys with their values, in the order of the text.
    var members: [JSONObject.Member] { object.members }

    /// Names of fields that have a value, of which nothing was read.
    var unread: [String] { object.members.filter { $0.value != .null && !readKeys.contains($0.key) }.map(\.key) }

    /// Token ids below `vocabularySize`.
    func tokens(_ key: String, vocabularySize: Int) throws(ServerError) -> [Int32]? {
        guard let values = try array(key) else { return nil }
        return try Self.tokens(values, name: name(key), vocabularySize: vocabularySize)
    }

    /// `values` as token ids below `vocabularySize`.
    static func tokens(
        _ values: [JSONValue], name: String, vocabularySize: Int
    ) throws(ServerError) -> [Int32] {
        var tokens: [Int32] = []
        tokens.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            guard let id = value.exactInteger, id >= 0, id < vocabularySize, let token = Int32(exactly: id) else {
                let problem = "expected a token id from 0 to \(vocabularySize - 1), found \(value.shown)"
                throw .invalidField("\(name)[\(index)]", problem)
            }
            tokens.append(token)
        }
        return tokens
    }
}

/// The keys of one object that were asked for. A class, as reading does not change `Fields`.
private final class ReadKeys: Sendable {
    private let keys = Mutex<Set<String>>([])

    func insert(_ key: String) { keys.withLock { _ = $0.insert(key) } }

    func contains(_ key: String) -> Bool { keys.withLock { $0.contains(key) } }
}

extension JSONValue {
    /// The integer that this is, `2.0` included. A number beyond 2^53 is none, as it may have been rounded to one.
    var exactInteger: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value) where value.magnitude <= 0x1p53: Int(exactly: value)
        default: nil
        }
    }

    /// The value for an error message: numbers and booleans as written, the rest by kind.
    fileprivate var shown: String {
        switch self {
        case .integer(let value): "\(value)"
        case .bigInteger(let digits): String(digits.prefix(40))
        case .number(let value): "\(value)"
        case .bool(let value): "\(value)"
        default: kind
        }
    }
}
