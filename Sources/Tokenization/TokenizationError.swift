public import JSON

/// Why a tokenizer could not be created.
public enum TokenizationError: Error, Equatable, CustomStringConvertible {
    /// The file cannot be read.
    case unreadable(file: String, reason: String)
    /// The file is not JSON.
    case malformedJSON(file: String, reason: String)
    /// The value of a key is missing, of the wrong type, or not supported.
    case unsupported(file: String, key: String, expected: String, found: String)
    /// A regular expression cannot be compiled. `position`: the number of characters before the problem.
    case unsupportedPattern(file: String, key: String, position: Int, reason: String)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
        case .malformedJSON(let file, let reason): "\(file): not valid JSON: \(reason)"
        case .unsupported(let file, let key, let expected, let found):
            "\(file): \(key): expected \(expected), found \(found)"
        case .unsupportedPattern(let file, let key, let position, let reason):
            "\(file): \(key): the regular expression cannot be compiled, at character \(position): \(reason)"
        }
    }
}
extension TokenizationError: JSONReadingError {
    public init(_ mismatch: JSONMismatch) {
        self = .unsupported(
            file: mismatch.file, key: mismatch.path.isEmpty ? "(the whole file)" : mismatch.path,
            expected: mismatch.expected, found: Self.description(of: mismatch.found))
    }

    private static func description(of value: JSONValue?) -> String {
        switch value {
        case nil: return "nothing"
        case .bool(let value): return "\(value)"
        case .integer(let value): return "\(value)"
        case .bigInteger(let digits): return String(digits.prefix(40))
        case .number(let value): return "\(value)"
        case .string(let value):
            return value.utf8.count <= 200
                ? "\"\(value)\"" : "\"\(String(decoding: value.utf8.prefix(200), as: UTF8.self))…\""
        case .some(let other): return other.kind
        }
    }
}
