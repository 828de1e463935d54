/// A regular expression over module names, matched from their beginning as Python's `re.match` does.
struct ModulePattern: Sendable, Hashable {
    let text: String

    /// Checks that `text` is a regular expression; `key` and `file` say where it stands.
    init(_ text: String, file: String, key: String) throws(WeightLoadingError) {
        self.text = text
        do {
            _ = try Regex(text)
        } catch {
            throw .illTypedKey(file: file, key: key, expected: "a regular expression", found: "\"\(text)\"")
        }
    }

    /// Whether `module` begins with a match.
    func matches(_ module: String) -> Bool {
        // A regular expression is no value that threads can share, its text is.
        guard let expression = try? Regex(text) else { return false }
        return (try? expression.prefixMatch(in: module)) != nil
    }
}
