public import Requests

/// `sjf`: the shortest predicted remaining answer first, with ageing so that long ones do not starve.
///
/// Source: Fu et al., "Efficient LLM Scheduling by Learning to Rank" (arXiv 2408.15792), with a starvation guard; the
/// prediction here is a mean by tenant and prompt length, learnt while serving.
public struct ShortestJobFirst: SchedulerPolicy {
    private let ageingSeconds: Double
    private var predictor = LengthPredictor()

    /// Waiting for `ageingSeconds` makes up for 100 tokens.
    public init(ageingSeconds: Double) {
        precondition(ageingSeconds > 0, "ageing takes \(ageingSeconds) s")
        self.ageingSeconds = ageingSeconds
    }

    /// By predicted length and age. All requests age equally fast, so one rank at arrival is enough.
    public mutating func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
        let age = Double(request.arrival.nanoseconds) / 1e9 / ageingSeconds
        return QueuePosition(rank: predictor.remainingOutput(of: request) / 100 + age)
    }

    /// The longest predicted rest is preempted first.
    public mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
        predictor.remainingOutput(of: running)
    }

    /// Learns the length of an answer that was not cut off.
    public mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) {
        switch reason {
        case .stopToken, .stopString, .length: predictor.learn(request)
        case .abort, .failure, .rejected: break
        }
    }
}
