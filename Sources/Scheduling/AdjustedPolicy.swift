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

    /// The configured way, or the policy's.
    public mutating func preemptionMode(
        of victim: RequestView, costs: PreemptionCosts, at now: EngineInstant
    ) -> PreemptionMode { preemption ?? policy.preemptionMode(of: victim, costs: costs, at: now) }

    /// The rule's rank, or the policy's.
    public mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double {
        victims?.rank(of: running) ?? policy.victimRank(of: running, at: now)
    }

    /// The policy's share, within the configured one. With nothing running, or nothing left for what runs, there is
    /// nothing to protect.
    public mutating func share(of load: EngineLoad, at now: EngineInstant) -> BudgetShare {
        var share = policy.share(of: load, at: now)
        if promptShare < 1, load.runningCount > 0, share.reservedTokenCount < load.tokenBudget {
            let limit = Int(promptShare * Double(load.maxBatchedTokenCount))
            share.promptTokenCount = min(share.promptTokenCount, limit)
        }
        return share
    }

    /// The policy's.
    public mutating func place(_ request: RequestView, at now: EngineInstant) -> WaitingPlace {
        policy.place(request, at: now)
    }

    /// The policy's.
    public var lookahead: Int { policy.lookahead }

    /// The policy's.
    public var wantsCachedCounts: Bool { policy.wantsCachedCounts }

    /// The policy's.
    public mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision {
        policy.decide(among: candidates, load: load, at: now)
    }

    /// The policy's.
    public mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) -> Bool {
        policy.preempts(waiting, victim, at: now)
    }

    /// Passed on.
    public mutating func arrived(_ request: RequestView, at now: EngineInstant) { policy.arrived(request, at: now) }

    /// Passed on.
    public mutating func admitted(_ request: RequestView, at now: EngineInstant) { policy.admitted(request, at: now) }

    /// Passed on.
    public mutating func progressed(_ request: RequestView, by progress: StepProgress, at now: EngineInstant) {
        policy.progressed(request, by: progress, at: now)
    }

    /// Passed on.
    public mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) {
        policy.ended(request, reason, at: now)
    }
}
