/// One thing that is measured of a configuration, in a process of its own.
public enum ComparisonPart: Sendable, Hashable, Codable {
    /// The text's scores.
    case text
    /// Greedy continuations of the prompts.
    case continuations
    /// Speed and memory, the round counted from 1.
    case load(round: Int)

    /// Its name in files and on the terminal.
    public var name: String {
        switch self {
        case .text: "text"
        case .continuations: "continuations"
        case .load(let round): "load, round \(round)"
        }
    }
}

/// The outcome of a part: one of the results, or a failure.
public struct PartOutcome: Sendable, Hashable, Codable {
    /// Why there is no result.
    public struct Failure: Error, Sendable, Hashable, Codable {
        /// One sentence or a few.
        public var reason: String
        /// Whether configuration, checkpoint or input are wrong, and not the machine.
        public var isUserError: Bool

        public init(reason: String, isUserError: Bool) {
            self.reason = reason
            self.isUserError = isUserError
        }
    }

    /// Of `ComparisonPart.text`.
    public var text: TextScores?
    /// Of `ComparisonPart.continuations`, one for each prompt.
    public var continuations: [Continuation]?
    /// Of `ComparisonPart.load`.
    public var load: LoadFigures?
    public var failure: Failure?

    public init() {}

    public init(failure: Failure) { self.failure = failure }

    /// Whether it is the result of `part`.
    func answers(_ part: ComparisonPart) -> Bool {
        switch part {
        case .text: text != nil
        case .continuations: continuations != nil
        case .load: load != nil
        }
    }
}
