/// What becomes of a victim's keys and values.
public enum PreemptionMode: String, Sendable, CaseIterable {
    /// They are dropped, and computed again once the request is admitted again.
    case recompute
    /// They move to the swap space, and back. Where that has no room, they are computed again.
    case swap
    /// Whichever of the two takes less time.
    case cheaper = "auto"
}

/// What either way of preempting one request takes, as far as it is known.
public struct PreemptionCosts: Sendable, Hashable {
    /// Seconds of computing its tokens again; nil before any step was timed.
    public let recomputeSeconds: Double?
    /// Seconds of moving its blocks out and in; nil before any move was timed.
    public let swapSeconds: Double?

    /// The two as given.
    public init(recomputeSeconds: Double?, swapSeconds: Double?) {
        self.recomputeSeconds = recomputeSeconds
        self.swapSeconds = swapSeconds
    }

    /// Whether swapping takes less time. What is not known yet is tried, and so becomes known.
    public var prefersSwap: Bool {
        guard let recomputeSeconds, let swapSeconds else { return true }
        return swapSeconds < recomputeSeconds
    }
}

/// How fast a device computes and copies, where that is given and not to be measured.
public struct PreemptionSpeeds: Sendable, Hashable {
    /// Seconds of each token of a prompt.
    public var tokenSeconds: Double
    /// Seconds of each block that is moved, one way.
    public var moveSeconds: Double

    /// The two as given.
    public init(tokenSeconds: Double, moveSeconds: Double) {
        self.tokenSeconds = tokenSeconds
        self.moveSeconds = moveSeconds
    }
}
