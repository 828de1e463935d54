import CQuirePlugin
import Requests
import Scheduling

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
            place: WaitingPlace(line: Int(candidate.place.line), rank: candidate.place.rank))
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
    /// What ended a request, without the token or the text of it.
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
    /// As much of `sentence` as there is room for, at the border of a character.
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
