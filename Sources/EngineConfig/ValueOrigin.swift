/// Where a value of the configuration came from.
public enum ValueOrigin: Sendable, Equatable {
    /// Nobody gave it.
    case `default`
    /// The file, at this line and column.
    case file(line: Int, column: Int)
    /// `--set` on the command line.
    case override

    /// In a few words, for a comment or in parentheses.
    var phrase: String {
        switch self {
        case .default: "default"
        case .file(let line, _): "line \(line)"
        case .override: "--set"
        }
    }
}
