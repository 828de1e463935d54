import Requests
import Scheduling

/// A library's policy as the scheduler sees it: asks on the policy's own thread, and only for decisions that the library
/// has a function for.
///
/// Copies share the thread and the state.
struct ExternalPolicy: SchedulerPolicy {
    private let table: PolicyTable
    private let thread: PolicyThread
    /// Decides where the library has no function.
    private var standard = FirstComeFirstServed()

    init(
        _ table: PolicyTable, options: [String: String], budgetMilliseconds: Int, path: String
    ) throws(PluginError) {
        self.table = table
        do throws(PluginError) {
            thread = try PolicyThread(table, options: options, budgetMilliseconds: budgetMilliseconds)
        } catch {
            throw .notCreated(path: path, policy: table.name, reason: error.reason)
        }
    }

    var lookahead: Int { thread.settings.lookahead }

    var wantsCachedCounts: Bool { thread.settings.wantsCachedCounts }

    mutating func queuePosition(of request: RequestView, at now: EngineInstant) throws -> QueuePosition {
        guard table.answers(.queuePosition) else { return standard.queuePosition(of: request, at: now) }
        return try ask { policy throws(PluginError) in try policy.queuePosition(of: request, at: now) }
    }

    mutating func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) throws -> AdmissionDecision {
        guard table.answers(.decide) else { return standard.decide(among: candidates, load: load, at: now) }
        return try ask { policy throws(PluginError) in try policy.decide(among: candidates, load: load, at: now) }
    }

    mutating func share(of load: EngineLoad, at now: EngineInstant) throws -> BudgetShare {
        guard table.answers(.share) else { return standard.share(of: load, at: now) }
        return try ask { policy throws(PluginError) in try policy.share(of: load, at: now) }
    }

    mutating func victimRank(of running: RequestView, at now: EngineInstant) throws -> Double {
        try victimRanks(of: [running], at: now)[0]
    }

    mutating func victimRanks(of running: [RequestView], at now: EngineInstant) throws -> [Double] {
        guard table.answers(.victimRanks) else { return try standard.victimRanks(of: running, at: now) }
        return try ask { policy throws(PluginError) in try policy.victimRanks(of: running, at: now) }
    }

    mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) throws -> Bool {
        guard table.answers(.preempts) else { return standard.preempts(waiting, victim, at: now) }
        return try ask { policy throws(PluginError) in try policy.preempts(waiting, victim, at: now) }
    }

    mutating func preemptionMode(
        of victim: RequestView, costs: PreemptionCosts, at now: EngineInstant
    ) throws -> PreemptionMode {
        guard table.answers(.preemptionMode) else {
            return standard.preemptionMode(of: victim, costs: costs, at: now)
        }
        return try ask { policy throws(PluginError) in try policy.preemptionMode(of: victim, costs: costs, at: now) }
    }

    mutating func arrived(_ request: RequestView, at now: EngineInstant) throws {
        try post(.arrived, request, now)
    }

    mutating func admitted(_ request: RequestView, at now: EngineInstant) throws {
        try post(.admitted, request, now)
    }

    mutating func progressed(_ request: RequestView, by progress: StepProgress, at now: EngineInstant) throws {
        try post(.progressed(progress), request, now)
    }

    mutating func ended(_ request: RequestView, _ reason: FinishReason, at now: EngineInstant) throws {
        try post(.ended(reason), request, now)
    }

    private func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (CPolicy) throws(PluginError) -> Answer
    ) throws -> Answer {
        try thread.ask { policy in
            do throws(PluginError) { return .success(try question(policy)) } catch { return .failure(error) }
        }
    }

    private func post(_ kind: PolicyEvent.Kind, _ request: RequestView, _ now: EngineInstant) throws {
        guard table.answers(kind.decision) else { return }
        try thread.post(PolicyEvent(kind: kind, request: request, now: now))
    }
}

extension PluginError {
    /// The sentence without the policy's name, for errors that name it already.
    fileprivate var reason: String {
        switch self {
        case .failed(_, let reason): reason
        default: description
        }
    }
}
