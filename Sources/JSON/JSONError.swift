/// Why a text is not JSON that `JSONParser` reads.
public struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    public let problem: String
    /// Bytes before the place.
    public let byteOffset: Int
    /// Keys and indices that lead to the value, outermost first: `logit_bias`, `42`.
    public private(set) var path: [String] = []

    init(problem: String, byteOffset: Int) {
        self.problem = problem
        self.byteOffset = byteOffset
    }

    /// The same error, seen from the value around it.
    func inside(_ key: String) -> JSONError {
        var error = self
        error.path.insert(key, at: 0)
        return error
    }

    /// One sentence.
    public var description: String { "invalid JSON at byte \(byteOffset): \(problem)" }
}
