/// The result of a case.
public struct ConformanceResult: Sendable, CustomStringConvertible {
    public let name: String
    /// Normalised mean squared error against the reference.
    public let error: Double
    /// The largest acceptable one.
    public let tolerance: Double
    /// What was wrong, in words; empty if the case has passed.
    public let failures: [String]

    public var hasPassed: Bool { failures.isEmpty }

    public var description: String {
        hasPassed ? "\(name): passed, error \(error)" : "\(name): " + failures.joined(separator: "; ")
    }
}
