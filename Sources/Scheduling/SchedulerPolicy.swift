public import Requests

/// Chooses; the `Scheduler` keeps every invariant. One of the four plugin seams.
///
/// Every decision has a default, which together are first come, first served; a policy writes only what it changes.
/// It sees immutable views and never a block, so it cannot corrupt memory. Errors and nonsense are harmless: where a
/// decision throws, names a request that does not wait, or ranks by something that is no number, the default decides
/// that once and the failure is counted (`GuardedPolicy`); and nobody is passed over or preempted for ever
/// (`SchedulerLimits.maxOvertakingCount`, `maxPreemptionCount`).
public protocol SchedulerPolicy: Sendable {
    // MARK: Decisions

    /// Where a request waits, asked when it arrives and after each preemption. Default: by arrival, in one line.
    mutating func place(_ request: RequestView, at now: EngineInstant) throws -> WaitingPlace

    /// How many requests at the front of each line `decide` chooses from. Default: 1. More cost time at each admission.
    var lookahead: Int { get throws }

    /// Whether `decide` needs `cachedCount` of the candidates; looking it up costs time. Default: false.
    var wantsCachedCounts: Bool { get throws }

    /// Who is admitted next, if anybody. Asked again after each admission and refusal, while there is room.
    /// Default: the least rank.
    mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) throws -> AdmissionDecision

    /// How this step's budget is shared. Default: running requests first.
    mutating func share(of load: EngineLoad, at now: EngineInstant) throws -> BudgetShare

    /// How readily a running request gives its blocks back where another needs them: the highest rank goes first, of
    /// two equal ranks the later arrival. Default: by arrival.
    mutating func victimRank(of running: RequestView, at now: EngineInstant) throws -> Double

    /// The ranks of all that may have to give way, in their order, asked once in a step that needs a victim. Default:
    /// `victimRank` of each.
    mutating func victimRanks(of running: [RequestView], at now: EngineInstant) throws -> [Double]

    /// Whether a waiting request that finds no room takes that of `victim`, the first by rank. Default: never.
    mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) throws -> Bool

    /// What becomes of the keys and values of `victim`, which is about to give way. Default: the cheaper.
    mutating func preemptionMode(
        of victim: RequestView, costs: PreemptionCosts, at now: EngineInstant
    ) throws -> PreemptionMode

    // MARK: What it hears

    /// A request has come in; `place` follows.
    mutating func arrived(_ request: RequestView, at now: EngineInstant) throws

    /// A waiting request runs from now on.
    mutating func admitted(_ request: RequestView, at now: EngineInstant) throws

    /// A step brought a running request forward; `request` is as it is after it.
    mutating func progressed(_ request: RequestView, by progress: StepProgress, at now: EngineInstant) throws

    /// A request has ended, for whatever reason.
    mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) throws
}

/// What one step did for one request.
public struct StepProgress: Sendable, Hashable {
    /// Tokens computed.
    public let computedCount: Int
    /// Those of them that had been computed before a preemption.
    public let recomputedCount: Int
    /// Tokens produced: one or none.
    public let producedCount: Int

    /// The counts as given.
    public init(computedCount: Int, recomputedCount: Int, producedCount: Int) {
        self.computedCount = computedCount
        self.recomputedCount = recomputedCount
        self.producedCount = producedCount
    }
}

extension SchedulerPolicy {
    /// By arrival, in one line.
    public mutating func place(_ request: RequestView, at now: EngineInstant) -> WaitingPlace {
        WaitingPlace(rank: Double(request.arrival.nanoseconds))
    }

    /// One.
    public var lookahead: Int { 1 }

    /// No.
    public var wantsCachedCounts: Bool { false }

    /// The least rank.
    public mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision {
        var first = candidates[0]
        for candidate in candidates.dropFirst() where candidate.precedes(first) { first = candidate }
        return .admit(first.request.id)
    }

    /// Running requests first.
    public mutating func share(of load: EngineLoad, at now: EngineInstant) -> BudgetShare { .runningFirst }

    /// The later the arrival, the higher.
    public mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
        Double(running.arrival.nanoseconds)
    }

    /// Each by itself.
    public mutating func victimRanks(of running: [RequestView], at now: EngineInstant) throws -> [Double] {
        try running.map { try victimRank(of: $0, at: now) }
    }

    /// Never.
    public mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) -> Bool {
        false
    }

    /// The cheaper.
    public mutating func preemptionMode(
        of victim: RequestView, costs: PreemptionCosts, at now: EngineInstant
    ) -> PreemptionMode { .cheaper }

    /// Nothing.
    public mutating func arrived(_ request: RequestView, at now: EngineInstant) {}

    /// Nothing.
    public mutating func admitted(_ request: RequestView, at now: EngineInstant) {}

    /// Nothing.
    public mutating func progressed(_ request: RequestView, by progress: StepProgress, at now: EngineInstant) {}

    /// Nothing.
    public mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) {}
}
