import Requests

/// Who gives its blocks back when another needs them: selectable apart from the policy.
public enum VictimRule: String, Sendable, CaseIterable {
    /// The latest arrival: the least work is lost where all are served in order (vLLM's rule for `fcfs`).
    case lastArrived = "last_arrived"
    /// The least urgent: the highest priority number.
    case lowestPriority = "lowest_priority"
    /// Whoever has computed least: the least has to be computed again.
    case leastComputed = "least_computed"
    /// Whoever holds most blocks: the fewest have to give way.
    case mostBlocks = "most_blocks"

    /// How readily `running` gives way; the highest goes first, of equal ones the later arrival.
    public func rank(of running: RequestView) -> Double {
        switch self {
        case .lastArrived: Double(running.arrival.nanoseconds)
        case .lowestPriority: Double(running.priority)
        case .leastComputed: -Double(running.computedCount)
        case .mostBlocks: Double(running.blockCount)
        }
    }
}
