public import Requests

/// `deadline`: the earliest deadline first; a request that can no longer meet its own is refused rather than served
/// late at the expense of the others.
///
/// Source: earliest deadline first (Liu and Layland, J. ACM 1973), over deadlines for the first token or for the whole
/// answer. The times of steps and the lengths of answers are learnt while serving.
public struct EarliestDeadlineFirst: SchedulerPolicy {
    /// The event that has to happen before the deadline.
    public enum Target: Sendable { case firstToken, finish }

    private let target: Target
    private let defaultSeconds: Double
    private var timer = StepTimer()
    private var predictor = LengthPredictor()

    /// Requests that set no deadline are ordered as if they had to be served within `defaultSeconds` of their
    /// arrival, and never refused.
    public init(target: Target, defaultSeconds: Double) {
        precondition(defaultSeconds > 0, "a deadline of \(defaultSeconds) s")
        self.target = target
        self.defaultSeconds = defaultSeconds
    }

    public mutating func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
        QueuePosition(rank: Double(deadline(request).nanoseconds))
    }

    /// Admits the earliest deadline, or refuses it if it cannot be met, as far as is known.
    public mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision {
        let request = candidates[0].request
        // A client that has begun to read an answer gets the rest of it.
        guard let deadline = request.deadline, request.outputCount == 0 else { return .admit(request.id) }
        var needed = timer.seconds(forTokens: request.remainingCount, budget: load.maxBatchedTokenCount) ?? 0
        if target == .finish, let step = timer.seconds(forTokens: load.runningCount + 1, budget: .max) {
            needed += step * predictor.remainingOutput(of: request)
        }
        guard deadline.seconds(since: now) < needed else { return .admit(request.id) }
        return .reject(request.id, reason: "its deadline cannot be met any more, the engine is too busy")
    }

    /// The latest deadline is preempted first.
    public mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
        Double(deadline(running).nanoseconds)
    }

    /// Begins to time the step; the budget is shared as by default.
    public mutating func share(of load: EngineLoad, at now: EngineInstant) -> BudgetShare {
        timer.begin(at: now)
        return .runningFirst
    }

    public mutating func progressed(_ request: RequestView, by progress: StepProgress, at now: EngineInstant) {
        timer.add(progress.computedCount, at: now)
    }

    /// Learns the length of an answer that was not cut off.
    public mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) {
        switch reason {
        case .stopToken, .stopString, .length: predictor.learn(request)
        case .abort, .failure, .rejected: break
        }
    }

    private func deadline(_ request: RequestView) -> EngineInstant {
        request.deadline ?? request.arrival.advanced(bySeconds: defaultSeconds)
    }
}
