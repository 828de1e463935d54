import Requests

/// Learns how long a step takes: a fixed time, and a time for each token in it.
///
/// A least-squares line through the steps seen, with weights that fall exponentially: the last few hundred count.
struct StepTimer: Sendable {
    private var weight = 0.0
    private var (tokens, seconds, squares, products) = (0.0, 0.0, 0.0, 0.0)
    private var start: EngineInstant?
    private var end: EngineInstant?
    private var tokenCount = 0

    /// A step begins; the previous one is over.
    mutating func begin(at now: EngineInstant) {
        learn()
        (start, end, tokenCount) = (now, nil, 0)
    }

    /// `count` tokens of the step were ready at `now`.
    mutating func add(_ count: Int, at now: EngineInstant) {
        tokenCount += count
        end = now
    }

    private mutating func learn() {
        guard let start, let end, tokenCount > 0, start < end else { return }
        let (x, y, keep) = (Double(tokenCount), end.seconds(since: start), 0.995)
        weight = keep * weight + 1
        tokens = keep * tokens + x
        seconds = keep * seconds + y
        squares = keep * squares + x * x
        products = keep * products + x * y
    }

    /// Seconds that `tokenCount` tokens take in steps of at most `budget`; nil before anything was seen.
    func seconds(forTokens tokenCount: Int, budget: Int) -> Double? {
        guard weight > 0 else { return nil }
        let variance = weight * squares - tokens * tokens
        // Where all steps have the same size, only their mean is known.
        var slope = variance > 1e-6 * squares * weight ? (weight * products - tokens * seconds) / variance : 0
        slope = max(slope, 0)
        let fixed = max((seconds - slope * tokens) / weight, 0)
        let (whole, rest) = tokenCount.quotientAndRemainder(dividingBy: max(budget, 1))
        return Double(whole + (rest > 0 ? 1 : 0)) * fixed + slope * Double(tokenCount)
    }
}

/// How long computing tokens and copying blocks take: given, or measured from the steps that have run.
struct SpeedMeter: Sendable {
    private let given: PreemptionSpeeds?
    private var timer = StepTimer()
    private var moveSeconds = 0.0
    private var moveSampleCount = 0.0
    private var refusalCount = 0

    /// After so many decisions against swapping in a row, it is tried again: a first copy that was slow for a reason of
    /// its own, such as memory never touched before, must not decide all later ones.
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
            // A running mean of about the last sixteen.
            moveSampleCount = min(moveSampleCount + 1, 16)
            self.moveSeconds += (moveSeconds / Double(moveCount) - self.moveSeconds) / moveSampleCount
        }
        timer.begin(at: start.advanced(bySeconds: moveSeconds ?? 0))
        timer.add(tokenCount, at: end)
    }

    /// The costs of preempting a request with `tokenCount` computed tokens, whose swapping takes `moveCount` moves.
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

    /// Whether swapping is cheaper, or is to be tried again.
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
