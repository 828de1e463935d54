public import Requests

/// `priority`: lower numbers first, over running requests too, with ageing so that nobody starves.
///
/// Source: vLLM's priority scheduling, with linear ageing (Silberschatz, Operating System Concepts, "aging"). As
/// everybody ages equally fast, who comes before whom never changes while they wait: one rank at arrival is enough.
///
/// A step is as long as all that is in it, so a request that comes while mostly less urgent ones run gets a step nearly
/// for itself: they skip one, and produce the same tokens a step later.
public struct PriorityFirst: SchedulerPolicy {
    /// What orders two requests.
    private struct Urgency {
        let priority: Int
        let rank: Double

        func precedes(_ other: Urgency) -> Bool { priority < other.priority && rank < other.rank }
    }

    /// Running requests skip one step of so many in the long run, however many urgent ones come, and so many in a row.
    private static let (skippingInterval, skipsInARow) = (4, 4)

    private let ageingSeconds: Double
    private var running: [RequestID: Urgency] = [:]
    /// The most urgent of the requests that have come since the last step.
    private var newest: Urgency?
    /// Steps that were not skipped, as far as they count.
    private var credit = skippingInterval * skipsInARow
    /// For whom this step is, if running requests skip it.
    private var favoured: Urgency?

    /// Waiting `ageingSeconds` makes up for one step of priority.
    public init(ageingSeconds: Double) {
        precondition(ageingSeconds > 0, "ageing takes \(ageingSeconds) s")
        self.ageingSeconds = ageingSeconds
    }

    /// By priority and age.
    public mutating func place(_ request: RequestView, at now: EngineInstant) -> WaitingPlace {
        running[request.id] = nil
        return WaitingPlace(rank: urgency(request).rank)
    }

    /// All for new requests, where the most urgent of them comes before most that run.
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

    /// The first by rank, unless running requests skip this step for more urgent ones.
    public mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision {
        var first = candidates[0]
        for candidate in candidates.dropFirst() where candidate.precedes(first) { first = candidate }
        if let favoured, favoured.precedes(urgency(first.request)) { return .later }
        return .admit(first.request.id)
    }

    /// The least urgent gives way.
    public mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double { urgency(running).rank }

    /// Only a more urgent request, and only while age does not outweigh that.
    public mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) -> Bool {
        urgency(waiting).precedes(urgency(victim))
    }

    /// Remembers the most urgent.
    public mutating func arrived(_ request: RequestView, at now: EngineInstant) {
        let arrived = urgency(request)
        if let newest, newest.rank <= arrived.rank { return }
        newest = arrived
    }

    /// Remembers who runs.
    public mutating func admitted(_ request: RequestView, at now: EngineInstant) {
        running[request.id] = urgency(request)
    }

    /// Forgets it.
    public mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) {
        running[request.id] = nil
    }

    private func urgency(_ request: RequestView) -> Urgency {
        Urgency(
            priority: request.priority,
            rank: Double(request.priority) + Double(request.arrival.nanoseconds) / 1e9 / ageingSeconds)
    }
}
