/// Why a tokenizer could not be made.
public enum TokenizationError: Error, Equatable, CustomStringConvertible {
    /// The file cannot be read.
    case unreadable(file: String, reason: String)
    /// The file is not JSON.
    case malformedJSON(file: String, reason: String)
    /// The value of a key is missing, of the wrong kind, or of a kind that is not supported.
    case unsupported(file: String, key: String, expected: String, found: String)

    /// One sentence.
    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
        case .malformedJSON(let file, let reason): "\(file): not valid JSON: \(reason)"
        case .unsupported(let file, let key, let expected, let found):
            "\(file): \(key): expected \(expected), found \(found)"
        }
    }
}
