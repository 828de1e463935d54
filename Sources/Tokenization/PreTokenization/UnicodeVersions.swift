/// The versions of Unicode in `tokenizers` 0.23. Each of its parts has its own, and where Swift's is newer, scalars that a
/// part does not know must be unassigned as they are there: they would cut text elsewhere.
enum UnicodeVersion {
    /// Of its regular expressions: `\p{L}`, `\p{N}` and `\w`.
    static let regularExpressions = 16
    /// Of Rust's `char::is_numeric`, by which it splits digits off.
    static let numericScalars = 17
    /// Of its normalization forms.
    static let normalization = 9
}

extension Unicode.Scalar {
    /// Whether the scalar has had a meaning since this version of Unicode, or an older one.
    func isAssigned(in version: Int) -> Bool {
        guard let age = properties.age else { return false }
        return age.major <= version
    }
}
