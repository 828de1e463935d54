import Requests

/// Learns how long a step takes: so many seconds, and so many more for each token in it.
///
/// An exponentially weighted least-squares line through the steps seen; the last few hundred count.
struct StepTimer: Sendable {
    private var weight = 0.0
    private var (tokens, seconds, squares, products) = (0.0, 0.0, 0.0, 0.0)
    private var start: EngineInstant?
    private var end: EngineInstant?
    private var tokenCount = 0

    /// A step begins; the one before it is over.
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
        // All steps alike: only their mean is known.
        var slope = variance > 1e-6 * squares * weight ? (weight * products - tokens * seconds) / variance : 0
        slope = max(slope, 0)
        let fixed = max((seconds - slope * tokens) / weight, 0)
        let (whole, rest) = tokenCount.quotientAndRemainder(dividingBy: max(budget, 1))
        return Double(whole + (rest > 0 ? 1 : 0)) * fixed + slope * Double(tokenCount)
    }
}
