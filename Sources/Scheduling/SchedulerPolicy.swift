public import Requests

/// Makes the scheduler's choices, while the `Scheduler` keeps every invariant. One of the four plugin seams.
///
/// Every decision has a default; all defaults together are first come, first served, and a policy writes only what it
/// changes. This one admits the shortest prompt first and preempts the longest:
///
///     struct ShortestPromptFirst: SchedulerPolicy {
///         func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
///             QueuePosition(rank: Double(request.promptCount))
///         }
///
///         func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
///             Double(running.promptCount)
///         }
///     }
///
/// A policy sees immutable views and never a block, so it cannot corrupt memory. Where a decision throws, names a request
/// that does not wait, or returns a rank that is not finite, the default decides that once and the failure is counted
/// (`GuardedPolicy`). No request is passed over or preempted without end (`SchedulerLimits.maxOvertakingCount`,
/// `maxPreemptionCount`). `SchedulingConformance` holds a policy to this.
public protocol SchedulerPolicy: Sendable {
    // MARK: Decisions

    /// The queue and rank of a request, asked when it arrives and after each preemption. Default: one queue, ranked by
    /// arrival.
    mutating func queuePosition(of request: RequestView, at now: EngineInstant) throws -> QueuePosition

    /// How many requests at the front of each queue `decide` chooses from; more cost time at each admission. Default: 1.
    var lookahead: Int { get throws }

    /// Whether `decide` needs `cachedCount` of the candidates; looking it up costs time. Default: false.
    var wantsCachedCounts: Bool { get throws }

    /// The request to admit next, if any. Asked again after each admission and refusal, while there is room.
    /// Default: the one with the least rank.
    mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) throws -> AdmissionDecision

    /// How this step's budget is shared. Default: running requests first.
    mutating func share(of load: EngineLoad, at now: EngineInstant) throws -> BudgetShare

    /// The rank of a running request as a victim, where another one needs its blocks: the highest rank is preempted
    /// first, of two equal ranks the later arrival. Default: by arrival.
    mutating func victimRank(of running: RequestView, at now: EngineInstant) throws -> Double

    /// The ranks of all possible victims, in their order, asked once in a step that needs a victim. Default:
    /// `victimRank` of each.
    mutating func victimRanks(of running: [RequestView], at now: EngineInstant) throws -> [Double]

    /// Whether `victim`, the first by rank, is preempted for a waiting request that finds no room. Default: never.
    mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) throws -> Bool

    /// Whether the keys and values of `victim`, which is about to be preempted, are dropped or swapped. Default: the
    /// cheaper.
    mutating func preemptionMode(
        of victim: RequestView, costs: PreemptionCosts, at now: EngineInstant
    ) throws -> PreemptionMode

    // MARK: Events

    /// A request has arrived; `queuePosition` follows.
    mutating func arrived(_ request: RequestView, at now: EngineInstant) throws

    /// A waiting request runs from now on.
    mutating func admitted(_ request: RequestView, at now: EngineInstant) throws

    /// A step brought a running request forward; `request` shows it after the step.
    mutating func progressed(_ request: RequestView, by progress: StepProgress, at now: EngineInstant) throws

    /// A request has ended.
    mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) throws
}

/// The defaults.
extension SchedulerPolicy {
    public mutating func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
        QueuePosition(rank: Double(request.arrival.nanoseconds))
    }

    public var lookahead: Int { 1 }

    public var wantsCachedCounts: Bool { false }

    public mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision {
        var first = candidates[0]
        for candidate in candidates.dropFirst() where candidate.precedes(first) { first = candidate }
        return .admit(first.request.id)
    }

    public mutating func share(of load: EngineLoad, at now: EngineInstant) -> BudgetShare { .runningFirst }

    public mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
        Double(running.arrival.nanoseconds)
    }

    public mutating func victimRanks(of running: [RequestView], at now: EngineInstant) throws -> [Double] {
        try running.map { try victimRank(of: $0, at: now) }
    }

    public mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) -> Bool {
        false
    }

    public mutating func preemptionMode(
        of victim: RequestView, costs: PreemptionCosts, at now: EngineInstant
    ) -> PreemptionMode { .cheaper }

    public mutating func arrived(_ request: RequestView, at now: EngineInstant) {}

    public mutating func admitted(_ request: RequestView, at now: EngineInstant) {}

    public mutating func progressed(_ request: RequestView, by progress: StepProgress, at now: EngineInstant) {}

    public mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) {}
}

/// `fcfs`: in order of arrival; the latest arrival is preempted first. Every decision is the default one.
public struct FirstComeFirstServed: SchedulerPolicy {
    public init() {}
}
