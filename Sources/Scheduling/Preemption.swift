import Requests

/// Whether a victim's keys and values are dropped or swapped.
public enum PreemptionMode: String, Sendable, CaseIterable {
    /// They are dropped, and computed again once the request is admitted again.
    case recompute
    /// They move to the swap space, and back. Where the swap space has no room, they are computed again.
    case swap
    /// The one of the two that takes less time.
    case cheaper = "auto"
}

/// How long either way of preempting one request takes, as far as it is known.
public struct PreemptionCosts: Sendable, Hashable {
    /// Seconds of computing its tokens again; nil before any step was timed.
    public let recomputeSeconds: Double?
    /// Seconds of moving its blocks out and in; nil before any move was timed.
    public let swapSeconds: Double?

    public init(recomputeSeconds: Double?, swapSeconds: Double?) {
        self.recomputeSeconds = recomputeSeconds
        self.swapSeconds = swapSeconds
    }

    /// Whether swapping takes less time. While a time is not known, swapping is tried, which measures it.
    public var prefersSwap: Bool {
        guard let recomputeSeconds, let swapSeconds else { return true }
        return swapSeconds < recomputeSeconds
    }
}

/// How fast a device computes and copies, for schedulers that do not measure it.
public struct PreemptionSpeeds: Sendable, Hashable {
    /// Seconds of each token of a prompt.
    public var tokenSeconds: Double
    /// Seconds of each block that is moved, one way.
    public var moveSeconds: Double

    public init(tokenSeconds: Double, moveSeconds: Double) {
        self.tokenSeconds = tokenSeconds
        self.moveSeconds = moveSeconds
    }
}

/// Which running request is preempted when another one needs its blocks: configurable apart from the policy.
public enum VictimRule: String, Sendable, CaseIterable {
    /// The latest arrival: the least work is lost where all are served in order (vLLM's rule for `fcfs`).
    case lastArrived = "last_arrived"
    /// The least urgent: the highest priority number.
    case lowestPriority = "lowest_priority"
    /// The one with the fewest computed tokens: the least has to be computed again.
    case leastComputed = "least_computed"
    /// The one that holds most blocks: the fewest requests have to be preempted.
    case mostBlocks = "most_blocks"

    /// The highest rank is preempted first, of equal ones the later arrival.
    public func rank(of running: RequestView) -> Double {
        switch self {
        case .lastArrived: Double(running.arrival.nanoseconds)
        case .lowestPriority: Double(running.priority)
        case .leastComputed: -Double(running.computedCount)
        case .mostBlocks: Double(running.blockCount)
        }
    }
}
