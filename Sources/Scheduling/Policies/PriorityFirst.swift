public import Requests

/// `priority`: lower numbers first, over running requests too, with ageing so that nobody starves.
///
/// Source: vLLM's priority scheduling, with linear ageing (Silberschatz, Operating System Concepts, "aging"). All requests
/// age equally fast, so their order never changes while they wait: one rank at arrival is enough.
///
/// All requests of a step wait for its slowest part. So a request that arrives while mostly less urgent ones run gets a
/// step nearly to itself: they skip one step, and produce the same tokens a step later.
public struct PriorityFirst: SchedulerPolicy {
    private struct Urgency {
        let priority: Int
        let rank: Double

        func precedes(_ other: Urgency) -> Bool { priority < other.priority && rank < other.rank }
    }

    /// Running requests skip at most one step in four in the long run, however many urgent requests come, and at most four
    /// in a row.
    private static let (skippingInterval, skipsInARow) = (4, 4)

    private let ageingSeconds: Double
    private var running: [RequestID: Urgency] = [:]
    /// The most urgent of the requests that have come since the last step.
    private var newest: Urgency?
    /// Grows by one in each step, up to a bound, and pays for skipped ones.
    private var credit = skippingInterval * skipsInARow
    /// The urgent request that this step is for, if running requests skip it.
    private var favoured: Urgency?

    /// Waiting for `ageingSeconds` makes up for a difference of one in priority.
    public init(ageingSeconds: Double) {
        precondition(ageingSeconds > 0, "ageing takes \(ageingSeconds) s")
        self.ageingSeconds = ageingSeconds
    }

    public mutating func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
        running[request.id] = nil
        return QueuePosition(rank: urgency(request).rank)
    }

    /// The whole budget for new requests, where the most urgent of them comes before most of the running ones.
    public mutating func share(of load: EngineLoad, at now: EngineInstant) -> BudgetShare {
        credit = min(credit + 1, Self.skippingInterval * Self.skipsInARow)
        favoured = nil
        guard let urgent = newest else { return .runningFirst }
        newest = nil
        let outranked = running.values.count { urgent.precedes($0) }
        guard credit >= Self.skippingInterval, 2 * outranked > running.count else { return .runningFirst }
        credit -= Self.skippingInterval
        favoured = urgent
        return BudgetShare(promptTokenCount: .max, reservedTokenCount: .max)
    }

    /// Admits the first by rank, unless running requests skip this step for more urgent ones.
    public mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision {
        var first = candidates[0]
        for candidate in candidates.dropFirst() where candidate.precedes(first) { first = candidate }
        if let favoured, favoured.precedes(urgency(first.request)) { return .later }
        return .admit(first.request.id)
    }

    /// The least urgent is preempted first.
    public mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double { urgency(running).rank }

    /// Only for a more urgent request, and only while age does not outweigh that.
    public mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) -> Bool {
        urgency(waiting).precedes(urgency(victim))
    }

    public mutating func arrived(_ request: RequestView, at now: EngineInstant) {
        let arrived = urgency(request)
        if let newest, newest.rank <= arrived.rank { return }
        newest = arrived
    }

    public mutating func admitted(_ request: RequestView, at now: EngineInstant) {
        running[request.id] = urgency(request)
    }

    public mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) {
        running[request.id] = nil
    }

    private func urgency(_ request: RequestView) -> Urgency {
        Urgency(
            priority: request.priority,
            rank: Double(request.priority) + Double(request.arrival.nanoseconds) / 1e9 / ageingSeconds)
    }
}
