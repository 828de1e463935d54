/// Why a text is not JSON that this server reads.
struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    var problem: String
    /// Bytes before the place.
    var offset: Int
    /// Keys and indices that lead to the value, outermost first: `logit_bias`, `42`.
    var path: [String] = []

    /// The same error, seen from the value around it.
    func inside(_ key: String) -> JSONError {
        var error = self
        error.path.insert(key, at: 0)
        return error
    }

    /// One sentence.
    var description: String { "the body is not valid JSON: \(problem) at byte \(offset)" }
}
