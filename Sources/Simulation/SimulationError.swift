/// Why a simulation cannot be run.
public enum SimulationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The trace cannot be opened or read.
    case unreadable(path: String, reason: String)
    /// A line of the trace is malformed.
    case malformedLine(path: String, line: Int, problem: String)
    /// The trace's first line names no column for a required field.
    case missingColumn(path: String, column: String, found: [String])
    /// A parameter of a synthetic trace is unknown or out of range.
    case badParameter(name: String, expected: String, found: String)
    /// A value in a file of step costs is malformed.
    case malformedCost(path: String, key: String, problem: String)

    /// One sentence that names the file and line or key, or the parameter.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): \(reason)"
        case .malformedLine(let path, let line, let problem): "\(path):\(line): \(problem)"
        case .missingColumn(let path, let column, let found):
            "\(path):1: no column for the \(column); found \(found.joined(separator: ", "))"
        case .badParameter(let name, let expected, let found):
            "synthetic trace: \(name): expected \(expected), found \(found)"
        case .malformedCost(let path, let key, let problem): "\(path): \(key): \(problem)"
        }
    }
}
