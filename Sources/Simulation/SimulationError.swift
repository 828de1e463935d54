/// Why a simulation cannot be run.
public enum SimulationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The trace cannot be opened or read.
    case unreadable(path: String, reason: String)
    /// A line of the trace is not what it should be.
    case malformedLine(path: String, line: Int, problem: String)
    /// The trace's first line names no column for something that every request has.
    case missingColumn(path: String, column: String, found: [String])
    /// A synthetic trace was asked for with an unknown or impossible parameter.
    case badParameter(name: String, expected: String, found: String)
    /// A value of a file of step costs is not what it should be.
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
