/// Why `JSONParser` refuses a text.
public struct JSONError: Error, Equatable, CustomStringConvertible {
    public let problem: String
    /// Offset of the error.
    public let byteOffset: Int
    /// Keys and indices that lead to the value, outermost first: `logit_bias`, `42`.
    public private(set) var path: [String] = []

    init(problem: String, byteOffset: Int) {
        self.problem = problem
        self.byteOffset = byteOffset
    }

    /// The same error with `key` at the beginning of its path.
    func inside(_ key: String) -> JSONError {
        var error = self
        error.path.insert(key, at: 0)
        return error
    }

    public var description: String { "invalid JSON at byte \(byteOffset): \(problem)" }
}
