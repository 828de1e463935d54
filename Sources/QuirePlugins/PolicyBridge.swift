import CQuirePlugin
import Requests
import Scheduling

/// The functions of the table: each converts C structs to Swift values, asks the policy, and converts the answer back.
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
        fillEvents(&table)
    }

    private static func fillDecisions(_ table: inout quire_policy) {
        table.place = { state, request, now, answer, error in
            ask(state, error) { policy in
                let position = try policy.queuePosition(
                    of: RequestView(request!.pointee), at: EngineInstant(nanoseconds: now))
                answer!.pointee = quire_place(line: Int64(position.queue), rank: position.rank)
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
                let preempts = try policy.preempts(
                    RequestView(waiting!.pointee), RequestView(victim!.pointee), at: EngineInstant(nanoseconds: now))
                answer!.pointee = preempts ? 1 : 0
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

    private static func fillEvents(_ table: inout quire_policy) {
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

// MARK: Conversions

extension RequestView {
    init(_ request: quire_request) {
        let bytes = UnsafeRawBufferPointer(start: request.tenant, count: Int(request.tenant_length))
        self.init(
            id: RequestID(request.id), arrival: EngineInstant(nanoseconds: request.arrival_ns),
            priority: Int(request.priority), tenant: String(decoding: bytes, as: UTF8.self),
            deadline: request.deadline_ns == .max ? nil : EngineInstant(nanoseconds: request.deadline_ns),
            promptCount: Int(request.prompt_tokens), outputCount: Int(request.output_tokens),
            outputLimit: Int(request.output_limit), computedCount: Int(request.computed_tokens),
            cachedCount: Int(request.cached_tokens), preemptionCount: Int(request.preemptions),
            blockCount: Int(request.blocks))
    }
}

extension AdmissionCandidate {
    init(_ candidate: quire_candidate) {
        self.init(
            request: RequestView(candidate.request),
            position: QueuePosition(queue: Int(candidate.place.line), rank: candidate.place.rank))
    }
}

extension EngineLoad {
    init(_ load: quire_load) {
        self.init(
            runningCount: Int(load.running), waitingCount: Int(load.waiting), maxSequenceCount: Int(load.max_running),
            tokenBudget: Int(load.token_budget), maxBatchedTokenCount: Int(load.max_batched_tokens),
            freeTokenCount: Int(load.free_tokens), capacityTokenCount: Int(load.capacity_tokens))
    }
}

extension PreemptionCosts {
    init(_ costs: quire_costs) {
        self.init(
            recomputeSeconds: costs.recompute_seconds.isNaN ? nil : costs.recompute_seconds,
            swapSeconds: costs.swap_seconds.isNaN ? nil : costs.swap_seconds)
    }
}

extension StepProgress {
    init(_ progress: quire_progress) {
        self.init(
            computedCount: Int(progress.computed_tokens), recomputedCount: Int(progress.recomputed_tokens),
            producedCount: Int(progress.produced_tokens))
    }
}

extension FinishReason {
    /// The reason of an end, without its token or text.
    init(code: Int32) {
        switch Int(code) {
        case QUIRE_STOPPED: self = .stopString("")
        case QUIRE_LENGTH: self = .length
        case QUIRE_ABORTED: self = .abort
        case QUIRE_REJECTED: self = .rejected("")
        default: self = .failure("")
        }
    }
}

extension PreemptionMode {
    var code: Int32 {
        switch self {
        case .recompute: Int32(QUIRE_RECOMPUTE)
        case .swap: Int32(QUIRE_SWAP)
        case .cheaper: Int32(QUIRE_CHEAPER)
        }
    }
}

extension quire_decision {
    mutating func write(_ decision: AdmissionDecision) {
        switch decision {
        case .admit(let chosen):
            kind = Int32(QUIRE_ADMIT)
            id = chosen.rawValue
        case .reject(let refused, let sentence):
            kind = Int32(QUIRE_REJECT)
            id = refused.rawValue
            reason.write(sentence)
        case .later: kind = Int32(QUIRE_LATER)
        }
    }
}

extension quire_message {
    /// Writes as much of `sentence` as there is room for, whole characters only.
    mutating func write(_ sentence: String) {
        withUnsafeMutableBytes(of: &text) { room in
            var count = 0
            for scalar in sentence.unicodeScalars {
                let bytes = Array(String(scalar).utf8)
                guard count + bytes.count < room.count else { break }
                for byte in bytes {
                    room[count] = byte
                    count += 1
                }
            }
            room[count] = 0
        }
    }
}
