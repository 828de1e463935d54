import Requests

/// A policy that always answers: where the real one throws or answers nonsense, the default does, for that decision.
///
/// What the scheduler asks. Failures are counted and the last one is kept; nobody is told here.
struct GuardedPolicy: Sendable {
    private var policy: any SchedulerPolicy
    /// Every default, which is `fcfs`.
    private var fallback = FirstComeFirstServed()
    private(set) var failures = PolicyFailures()

    init(_ policy: any SchedulerPolicy) {
        self.policy = policy
    }

    mutating func place(_ request: RequestView, at now: EngineInstant) -> WaitingPlace {
        do {
            let place = try policy.place(request, at: now)
            if place.rank.isFinite { return place }
            note(.place, "ranks \(request.id) by \(place.rank)")
        } catch { note(.place, error) }
        return fallback.place(request, at: now)
    }

    mutating func lookahead() -> Int {
        do {
            let lookahead = try policy.lookahead
            if lookahead > 0 { return lookahead }
            note(.lookahead, "wants to choose from \(lookahead) requests")
        } catch { note(.lookahead, error) }
        return fallback.lookahead
    }

    mutating func wantsCachedCounts() -> Bool {
        do { return try policy.wantsCachedCounts } catch { note(.wantsCachedCounts, error) }
        return fallback.wantsCachedCounts
    }

    /// Whether the requests named wait is for the scheduler to say, who then calls `note` and lets the first go first.
    mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) -> AdmissionDecision {
        do {
            let decision = try policy.decide(among: candidates, load: load, at: now)
            guard case .reject(let id, "") = decision else { return decision }
            note(.decide, "refuses \(id) without a reason")
        } catch { note(.decide, error) }
        return fallback.decide(among: candidates, load: load, at: now)
    }

    mutating func share(of load: EngineLoad, at now: EngineInstant) -> BudgetShare {
        do {
            let share = try policy.share(of: load, at: now)
            if share.promptTokenCount >= 0, share.reservedTokenCount >= 0 { return share }
            note(.share, "shares \(share.promptTokenCount) and \(share.reservedTokenCount) tokens")
        } catch { note(.share, error) }
        return fallback.share(of: load, at: now)
    }

    /// One rank each. All are the default's where one fails: ranks of two scales cannot be compared.
    mutating func victimRanks(of running: [RequestView], at now: EngineInstant) -> [Double] {
        do {
            let ranks = try policy.victimRanks(of: running, at: now)
            if ranks.count == running.count, ranks.allSatisfy(\.isFinite) { return ranks }
            let bad = ranks.first { !$0.isFinite }.map { ", one by \($0)" } ?? ""
            note(.victimRanks, "ranks \(ranks.count) of \(running.count) requests\(bad)")
        } catch { note(.victimRanks, error) }
        return running.map { fallback.victimRank(of: $0, at: now) }
    }

    mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) -> Bool {
        do { return try policy.preempts(waiting, victim, at: now) } catch { note(.preempts, error) }
        return fallback.preempts(waiting, victim, at: now)
    }

    mutating func preemptionMode(
        of victim: RequestView, costs: PreemptionCosts, at now: EngineInstant
    ) -> PreemptionMode {
        do { return try policy.preemptionMode(of: victim, costs: costs, at: now) } catch {
            note(.preemptionMode, error)
        }
        return fallback.preemptionMode(of: victim, costs: costs, at: now)
    }

    mutating func arrived(_ request: RequestView, at now: EngineInstant) {
        do { try policy.arrived(request, at: now) } catch { note(.arrived, error) }
    }

    mutating func admitted(_ request: RequestView, at now: EngineInstant) {
        do { try policy.admitted(request, at: now) } catch { note(.admitted, error) }
    }

    mutating func progressed(_ request: RequestView, by progress: StepProgress, at now: EngineInstant) {
        do { try policy.progressed(request, by: progress, at: now) } catch { note(.progressed, error) }
    }

    mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) {
        do { try policy.ended(request, reason, at: now) } catch { note(.ended, error) }
    }

    /// Counts a failure. Apart from those who call it every step for every request.
    @inline(never)
    private mutating func note(_ decision: PolicyDecision, _ error: any Error) { note(decision, "\(error)") }

    /// Counts a failure.
    mutating func note(_ decision: PolicyDecision, _ message: String) { failures.add(decision, message) }
}
