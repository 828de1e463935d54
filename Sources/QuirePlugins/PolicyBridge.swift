import CQuirePlugin
import Requests
import Scheduling

/// The functions of the table: each turns C into Swift, asks the policy, and turns the answer into C.
enum PolicyBridge {
    static func fill(_ table: inout quire_policy) {
        table.create = { context, options, count, settings, state, error in
            guard let context, let settings, let state else { return 1 }
            return attempt(error) {
                let maker = Unmanaged<PolicyMaker>.fromOpaque(context).takeUnretainedValue()
                let options = PluginOptions(UnsafeBufferPointer(start: options, count: Int(count)))
                let policy = try maker.make(options)
                settings.pointee.lookahead = UInt32(clamping: try policy.lookahead)
                settings.pointee.flags = try policy.wantsCachedCounts ? UInt32(QUIRE_WANTS_CACHED_TOKENS) : 0
                state.pointee = Unmanaged.passRetained(PolicyState(policy)).toOpaque()
            }
        }
        table.destroy = { state in
            if let state { Unmanaged<PolicyState>.fromOpaque(state).release() }
        }
        fillDecisions(&table)
        fillHooks(&table)
    }

    private static func fillDecisions(_ table: inout quire_policy) {
        table.place = { state, request, now, answer, error in
            ask(state, error) { policy in
                let place = try policy.place(RequestView(request!.pointee), at: EngineInstant(nanoseconds: now))
                answer!.pointee = quire_place(line: Int64(place.line), rank: place.rank)
            }
        }
        table.decide = { state, candidates, count, load, now, answer, error in
            ask(state, error) { policy in
                let candidates = UnsafeBufferPointer(start: candidates, count: Int(count))
                let decision = try policy.decide(
                    among: candidates.map { AdmissionCandidate($0) }, load: EngineLoad(load!.pointee),
                    at: EngineInstant(nanoseconds: now))
                answer!.pointee.write(decision)
            }
        }
        table.share = { state, load, now, answer, error in
            ask(state, error) { policy in
                let share = try policy.share(of: EngineLoad(load!.pointee), at: EngineInstant(nanoseconds: now))
                answer!.pointee = quire_share(
                    prompt_tokens: Int64(share.promptTokenCount), reserved_tokens: Int64(share.reservedTokenCount))
            }
        }
        table.victim_ranks = { state, running, count, now, ranks, error in
            ask(state, error) { policy in
                let views = UnsafeBufferPointer(start: running, count: Int(count)).map { RequestView($0) }
                let answer = try policy.victimRanks(of: views, at: EngineInstant(nanoseconds: now))
                guard answer.count == views.count else {
                    throw RankCountError(expected: views.count, found: answer.count)
                }
                ranks!.update(from: answer, count: answer.count)
            }
        }
        table.preempts = { state, waiting, victim, now, answer, error in
            ask(state, error) { policy in
                let isWanted = try policy.preempts(
                    RequestView(waiting!.pointee), RequestView(victim!.pointee), at: EngineInstant(nanoseconds: now))
                answer!.pointee = isWanted ? 1 : 0
            }
        }
        table.preemption_mode = { state, victim, costs, now, answer, error in
            ask(state, error) { policy in
                let mode = try policy.preemptionMode(
                    of: RequestView(victim!.pointee), costs: PreemptionCosts(costs!.pointee),
                    at: EngineInstant(nanoseconds: now))
                answer!.pointee = mode.code
            }
        }
    }

    private static func fillHooks(_ table: inout quire_policy) {
        table.arrived = { state, request, now, error in
            ask(state, error) { try $0.arrived(RequestView(request!.pointee), at: EngineInstant(nanoseconds: now)) }
        }
        table.admitted = { state, request, now, error in
            ask(state, error) { try $0.admitted(RequestView(request!.pointee), at: EngineInstant(nanoseconds: now)) }
        }
        table.progressed = { state, request, progress, now, error in
            ask(state, error) {
                try $0.progressed(
                    RequestView(request!.pointee), by: StepProgress(progress!.pointee),
                    at: EngineInstant(nanoseconds: now))
            }
        }
        table.ended = { state, request, reason, now, error in
            ask(state, error) {
                try $0.ended(
                    RequestView(request!.pointee), FinishReason(code: reason), at: EngineInstant(nanoseconds: now))
            }
        }
    }
}

/// Asks the policy behind `state`; what it throws becomes a status and a sentence.
private func ask(
    _ state: UnsafeMutableRawPointer?, _ error: UnsafeMutablePointer<quire_message>?,
    _ body: (inout any SchedulerPolicy) throws -> Void
) -> Int32 {
    guard let state else { return 1 }
    let box = Unmanaged<PolicyState>.fromOpaque(state).takeUnretainedValue()
    return attempt(error) { try body(&box.policy) }
}

private func attempt(
    _ error: UnsafeMutablePointer<quire_message>?, _ body: () throws -> Void
) -> Int32 {
    do {
        try body()
        return 0
    } catch let failure {
        error?.pointee.write("\(failure)")
        return 1
    }
}

/// A policy that ranks more or fewer requests than it was shown.
private struct RankCountError: Error, CustomStringConvertible {
    let expected: Int
    let found: Int

    var description: String { "expected \(expected) ranks, found \(found)" }
}
