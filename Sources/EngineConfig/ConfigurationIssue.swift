/// One mistake in a configuration: its position, its key, and a sentence.
public struct ConfigurationIssue: Sendable, Equatable, CustomStringConvertible {
    /// The configuration file, or the model that the command line names; nil when a `--set` override is wrong.
    public var file: String?
    /// Line in `file`, from 1; nil when the issue belongs to no line.
    public var line: Int?
    /// Column in `line`, from 1, in Unicode scalars.
    public var column: Int?
    /// The key, such as `cache.block_size`; nil when the text itself is at fault.
    public var keyPath: String?
    /// What was expected and what was found, one line.
    public var message: String

    /// One line: `file:line:column: cache.block_size: expected …, found …`.
    public var description: String {
        var position = file ?? "--set"
        if let line, let column { position += ":\(line):\(column)" }
        guard let keyPath else { return "\(position): \(message)" }
        return file == nil ? "\(position) \(keyPath): \(message)" : "\(position): \(keyPath): \(message)"
    }
}

/// Everything that is wrong with a configuration; never empty.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file's issues in the order of the file, then those of the overrides.
    public var issues: [ConfigurationIssue]

    /// Maximum number of issues that `description` lists.
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

/// Where a value of the configuration came from.
public enum ValueOrigin: Sendable, Equatable {
    /// Nobody gave it.
    case `default`
    /// The file, at this line and column.
    case file(line: Int, column: Int)
    /// The command line, which names a model instead of a file.
    case argument
    /// `--set` on the command line.
    case override

    /// In a few words, for a comment or in parentheses.
    var phrase: String {
        switch self {
        case .default: "default"
        case .file(let line, _): "line \(line)"
        case .argument: "command line"
        case .override: "--set"
        }
    }
}

/// Shows any text inside a one-line message: shortened, and without line breaks or control characters.
enum Excerpt {
    static let maximumCharacterCount = 60

    /// The text; in quotes when it is empty or begins or ends with a space.
    static func bare(_ text: String) -> String {
        text.isEmpty || text.first == " " || text.last == " " ? quoted(text) : escaped(text)
    }

    /// The text in double quotes.
    static func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            if count == maximumCharacterCount { return result + "…" }
            let isVisible = scalar.isASCII ? (0x20..<0x7F).contains(scalar.value) : isPrintable(scalar)
            result += isVisible ? String(scalar) : scalar.escaped(asASCII: true)
        }
        return result
    }

    /// Whether a scalar is a visible character and not a control, a line break or a byte order mark.
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }
}
