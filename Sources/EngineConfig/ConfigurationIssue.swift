/// One thing wrong with a configuration: where, which key, and a sentence.
public struct ConfigurationIssue: Sendable, Equatable, CustomStringConvertible {
    /// The configuration file, or nil when a `--set` override is to blame.
    public var file: String?
    /// Line in `file`, from 1; nil when the whole file, or no place in it, is meant.
    public var line: Int?
    /// Column in `line`, from 1, in Unicode scalars.
    public var column: Int?
    /// The key, such as `cache.block_size`; nil when the text itself is at fault.
    public var keyPath: String?
    /// What was expected and what was found, one line.
    public var message: String

    /// One line: `file:line:column: cache.block_size: expected …, found …`.
    public var description: String {
        var place = file ?? "--set"
        if let line, let column { place += ":\(line):\(column)" }
        guard let keyPath else { return "\(place): \(message)" }
        return file == nil ? "\(place) \(keyPath): \(message)" : "\(place): \(keyPath): \(message)"
    }
}

/// Everything that is wrong with a configuration; never empty.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file's issues in the order of the file, then those of the overrides.
    public var issues: [ConfigurationIssue]

    /// The most issues that `description` spells out.
    static let maximumLineCount = 20

    init(_ issues: [ConfigurationIssue]) {
        self.issues = issues
    }

    /// One line an issue, at most twenty of them.
    public var description: String {
        var lines = issues.prefix(Self.maximumLineCount).map(\.description)
        if issues.count > lines.count { lines.append("… and \(issues.count - lines.count) more") }
        return lines.joined(separator: "\n")
    }
}
