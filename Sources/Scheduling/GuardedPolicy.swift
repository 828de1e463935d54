import Requests

/// The decisions and events of a policy, as failures are counted by them. Raw values are labels of metrics.
public enum PolicyDecision: String, Sendable, CaseIterable {
    case queuePosition = "place"
    case lookahead, decide, share, preempts, arrived, admitted, progressed, ended
    case wantsCachedCounts = "wants_cached_counts"
    case victimRanks = "victim_ranks"
    case preemptionMode = "preemption_mode"
}

/// How often a policy failed since the start: it threw, returned nonsense or did not answer in time. The default
/// decided instead, each time.
public struct PolicyFailures: Sendable, Hashable {
    private var counts: [PolicyDecision: Int] = [:]
    /// Failures in all.
    public private(set) var count = 0
    /// The latest failure, in words; nil before the first.
    public private(set) var lastMessage: String?

    public init() {}

    /// Failures of one decision.
    public func count(of decision: PolicyDecision) -> Int { counts[decision, default: 0] }

    mutating func add(_ decision: PolicyDecision, _ message: String) {
        counts[decision, default: 0] += 1
        count += 1
        lastMessage = message
    }
}

/// What the scheduler asks: a policy that always answers. Where the real one throws or returns nonsense, the default
/// decides, and the failure is counted in `failures`.
struct GuardedPolicy: Sendable {
    private var policy: any SchedulerPolicy
    /// All defaults, which is `fcfs`.
    private var fallback = FirstComeFirstServed()
    private(set) var failures = PolicyFailures()

    init(_ policy: any SchedulerPolicy) {
        self.policy = policy
    }

    mutating func queuePosition(of request: RequestView, at now: EngineInstant) -> QueuePosition {
        do {
            let position = try policy.queuePosition(of: request, at: now)
            if position.rank.isFinite { return position }
            note(.queuePosition, "ranks \(request.id) by \(position.rank)")
        } catch { note(.queuePosition, error) }
        return fallback.queuePosition(of: request, at: now)
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

    /// Does not check that the named request is waiting; the scheduler does, and reports a failure with `note`.
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

    /// One rank each. If one of them fails, all ranks are the default's: ranks of two scales cannot be compared.
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

    /// Counts a failure. Kept out of line, because callers run in every step for every request.
    @inline(never)
    private mutating func note(_ decision: PolicyDecision, _ error: any Error) { note(decision, "\(error)") }

    mutating func note(_ decision: PolicyDecision, _ message: String) { failures.add(decision, message) }
}
