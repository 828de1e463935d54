import Requests

/// Knows what computing and copying take: given, or measured from the steps that have run.
struct SpeedMeter: Sendable {
    private let given: PreemptionSpeeds?
    private var timer = StepTimer()
    private var moveSeconds = 0.0
    private var moveSampleCount = 0.0
    private var refusalCount = 0

    /// So often in a row swapping is found too slow before it is tried again: a first copy that was slow for a reason
    /// of its own, such as memory never touched before, must not decide for ever.
    private static let retryInterval = 64

    init(given: PreemptionSpeeds?) {
        self.given = given
    }

    /// A step of `tokenCount` tokens and `moveCount` moves, which took `moveSeconds` of it.
    mutating func learn(
        tokenCount: Int, moveCount: Int, moveSeconds: Double?, from start: EngineInstant, to end: EngineInstant
    ) {
        guard given == nil else { return }
        if moveCount > 0, let moveSeconds {
            // The last sixteen count.
            moveSampleCount = min(moveSampleCount + 1, 16)
            self.moveSeconds += (moveSeconds / Double(moveCount) - self.moveSeconds) / moveSampleCount
        }
        timer.begin(at: start.advanced(bySeconds: moveSeconds ?? 0))
        timer.add(tokenCount, at: end)
    }

    /// What becomes of `tokenCount` tokens whose swapping takes `moveCount` moves.
    func costs(tokenCount: Int, moveCount: Int, budget: Int) -> PreemptionCosts {
        if let given {
            return PreemptionCosts(
                recomputeSeconds: given.tokenSeconds * Double(tokenCount),
                swapSeconds: given.moveSeconds * Double(moveCount))
        }
        return PreemptionCosts(
            recomputeSeconds: timer.seconds(forTokens: tokenCount, budget: budget),
            swapSeconds: moveSampleCount > 0 ? moveSeconds * Double(moveCount) : nil)
    }

    /// The cheaper way.
    mutating func prefersSwap(_ costs: PreemptionCosts) -> Bool {
        if costs.prefersSwap {
            refusalCount = 0
            return true
        }
        refusalCount += 1
        guard given == nil, refusalCount > Self.retryInterval else { return false }
        refusalCount = 0
        return true
    }
}
