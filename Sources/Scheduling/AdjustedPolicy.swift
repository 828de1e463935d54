public import Requests

/// A policy with some of its decisions replaced by a configured rule; everything else is the policy's own.
public struct AdjustedPolicy: SchedulerPolicy {
    private var policy: any SchedulerPolicy
    private let victims: VictimRule?
    private let promptShare: Double
    private let preemption: PreemptionMode?

    /// `victims` and `preemption` replace the policy's own choices; prompts get at most `promptShare` of each step's
    /// tokens.
    public init(
        _ policy: any SchedulerPolicy, victims: VictimRule? = nil, promptShare: Double = 1,
        preemption: PreemptionMode? = nil
    ) {
        self.policy = policy
        self.victims = victims
        self.promptShare = promptShare
        self.preemption = preemption
    }

    // MARK: Decisions that a rule may replace

    public mutating func preemptionMode(
        of victim: RequestView, costs: PreemptionCosts, at now: EngineInstant
    ) throws -> PreemptionMode { try preemption ?? policy.preemptionMode(of: victim, costs: costs, at: now) }

    public mutating func victimRank(of running: RequestView, at now: EngineInstant) throws -> Double {
        try victims?.rank(of: running) ?? policy.victimRank(of: running, at: now)
    }

    public mutating func victimRanks(of running: [RequestView], at now: EngineInstant) throws -> [Double] {
        guard let victims else { return try policy.victimRanks(of: running, at: now) }
        return running.map { victims.rank(of: $0) }
    }

    /// The policy's share, within the configured one. The configured one protects running requests, so it does not apply
    /// where nothing runs, or where the policy leaves running requests no tokens anyway.
    public mutating func share(of load: EngineLoad, at now: EngineInstant) throws -> BudgetShare {
        var share = try policy.share(of: load, at: now)
        if promptShare < 1, load.runningCount > 0, share.reservedTokenCount < load.tokenBudget {
            let limit = Int(promptShare * Double(load.maxBatchedTokenCount))
            share.promptTokenCount = min(share.promptTokenCount, limit)
        }
        return share
    }

    // MARK: Decisions and events that are passed on

    public mutating func queuePosition(of request: RequestView, at now: EngineInstant) throws -> QueuePosition {
        try policy.queuePosition(of: request, at: now)
    }

    public var lookahead: Int { get throws { try policy.lookahead } }

    public var wantsCachedCounts: Bool { get throws { try policy.wantsCachedCounts } }

    public mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) throws -> AdmissionDecision {
        try policy.decide(among: candidates, load: load, at: now)
    }

    public mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) throws -> Bool {
        try policy.preempts(waiting, victim, at: now)
    }

    public mutating func arrived(_ request: RequestView, at now: EngineInstant) throws {
        try policy.arrived(request, at: now)
    }

    public mutating func admitted(_ request: RequestView, at now: EngineInstant) throws {
        try policy.admitted(request, at: now)
    }

    public mutating func progressed(_ request: RequestView, by progress: StepProgress, at now: EngineInstant) throws {
        try policy.progressed(request, by: progress, at: now)
    }

    public mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) throws {
        try policy.ended(request, reason, at: now)
    }
}
