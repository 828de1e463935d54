/// What a policy is asked, or told.
public enum PolicyDecision: String, Sendable, CaseIterable {
    case place, lookahead, decide, share, preempts, arrived, admitted, progressed, ended
    case wantsCachedCounts = "wants_cached_counts"
    case victimRanks = "victim_ranks"
    case preemptionMode = "preemption_mode"
}

/// How often a policy failed since the start: it threw, answered nonsense or did not answer in time. The default
/// decided instead, each time.
public struct PolicyFailures: Sendable, Hashable {
    private var counts: [PolicyDecision: Int] = [:]
    /// Failures in all.
    public private(set) var count = 0
    /// What was wrong the last time; nil before the first.
    public private(set) var lastMessage: String?

    /// None.
    public init() {}

    /// Failures of one decision.
    public func count(of decision: PolicyDecision) -> Int { counts[decision, default: 0] }

    /// Counts one more.
    mutating func add(_ decision: PolicyDecision, _ message: String) {
        counts[decision, default: 0] += 1
        count += 1
        lastMessage = message
    }
}
