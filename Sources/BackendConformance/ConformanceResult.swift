/// How a case went.
public struct ConformanceResult: Sendable, CustomStringConvertible {
    /// The case's name.
    public let name: String
    /// Normalised mean squared error against the reference.
    public let error: Double
    /// The largest acceptable one.
    public let tolerance: Double
    /// What was wrong, in words; empty if nothing.
    public let failures: [String]

    /// Whether nothing was wrong.
    public var hasPassed: Bool { failures.isEmpty }

    /// The name and what was wrong.
    public var description: String {
        hasPassed ? "\(name): passed, error \(error)" : "\(name): " + failures.joined(separator: "; ")
    }
}
