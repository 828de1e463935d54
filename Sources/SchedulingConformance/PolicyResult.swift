/// How a case went.
public struct PolicyResult: Sendable, CustomStringConvertible {
    /// The case's name.
    public let name: String
    /// What was wrong, in words; empty if nothing.
    public let failures: [String]

    /// Whether nothing was wrong.
    public var hasPassed: Bool { failures.isEmpty }

    /// The name and what was wrong.
    public var description: String {
        hasPassed ? "\(name): passed" : "\(name): " + failures.prefix(5).joined(separator: "; ")
    }
}
