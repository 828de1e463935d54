import CQuirePlugin
import Requests
import Scheduling

/// A library's policy with the state of one engine: calls the library's functions on the caller's thread.
///
/// A class, because the state is destroyed with it. Only one thread may call at a time.
final class CPolicy {
    private let table: PolicyTable
    private let state: UnsafeMutableRawPointer?
    let settings: PolicySettings

    /// Calls the library's `create`. Throws the library's own sentence where it fails.
    init(_ table: PolicyTable, options: [String: String]) throws(PluginError) {
        self.table = table
        var state: UnsafeMutableRawPointer?
        var settings = quire_settings()
        if let create = table.functions.create {
            let status = OptionList(options).withOptions { options, error in
                create(
                    table.functions.context, options.baseAddress, UInt64(options.count), &settings, &state, error)
            }
            if let reason = status { throw .failed(policy: table.name, reason: reason) }
        }
        self.state = state
        do throws(PluginError) { self.settings = try PolicySettings(settings, policy: table.name) } catch {
            table.functions.destroy?(state)
            throw error
        }
    }

    deinit { table.functions.destroy?(state) }

    func queuePosition(of request: RequestView, at now: EngineInstant) throws(PluginError) -> QueuePosition {
        var answer = quire_place(line: 0, rank: .nan)
        try call([request]) { table.functions.place?(state, $0.baseAddress, now.nanoseconds, &answer, &$1) }
        return QueuePosition(queue: Int(answer.line), rank: answer.rank)
    }

    func decide(
        among candidates: [AdmissionCandidate], load: EngineLoad, at now: EngineInstant
    ) throws(PluginError) -> AdmissionDecision {
        var answer = quire_decision()
        answer.kind = -1
        var load = quire_load(load)
        try call(candidates.map(\.request)) { requests, error in
            var list: [quire_candidate] = []
            list.reserveCapacity(requests.count)
            for (request, candidate) in zip(requests, candidates) {
                let place = quire_place(line: Int64(candidate.position.queue), rank: candidate.position.rank)
                list.append(quire_candidate(request: request, place: place))
            }
            return table.functions.decide?(
                state, list, UInt64(list.count), &load, now.nanoseconds, &answer, &error)
        }
        switch Int(answer.kind) {
        case QUIRE_ADMIT: return .admit(RequestID(answer.id))
        case QUIRE_REJECT: return .reject(RequestID(answer.id), reason: answer.reason.sentence)
        case QUIRE_LATER: return .later
        default: throw nonsense("decision of kind \(answer.kind)")
        }
    }

    func share(of load: EngineLoad, at now: EngineInstant) throws(PluginError) -> BudgetShare {
        var answer = quire_share(prompt_tokens: -1, reserved_tokens: -1)
        var load = quire_load(load)
        try call([]) { table.functions.share?(state, &load, now.nanoseconds, &answer, &$1) }
        return BudgetShare(
            promptTokenCount: Int(answer.prompt_tokens), reservedTokenCount: Int(answer.reserved_tokens))
    }

    func victimRanks(of running: [RequestView], at now: EngineInstant) throws(PluginError) -> [Double] {
        var ranks = [Double](repeating: .nan, count: running.count)
        try call(running) {
            table.functions.victim_ranks?(
                state, $0.baseAddress, UInt64($0.count), now.nanoseconds, &ranks, &$1)
        }
        return ranks
    }

    func preempts(
        _ waiting: RequestView, _ victim: RequestView, at now: EngineInstant
    ) throws(PluginError) -> Bool {
        var answer: Int32 = -1
        try call([waiting, victim]) { pair, error in
            guard let first = pair.baseAddress else { return 1 }
            return table.functions.preempts?(state, first, first + 1, now.nanoseconds, &answer, &error)
        }
        guard answer == 0 || answer == 1 else { throw nonsense("preempts \(answer)") }
        return answer == 1
    }

    func preemptionMode(
        of victim: RequestView, costs: PreemptionCosts, at now: EngineInstant
    ) throws(PluginError) -> PreemptionMode {
        var answer: Int32 = -1
        var costs = quire_costs(
            recompute_seconds: costs.recomputeSeconds ?? .nan, swap_seconds: costs.swapSeconds ?? .nan)
        try call([victim]) {
            table.functions.preemption_mode?(state, $0.baseAddress, &costs, now.nanoseconds, &answer, &$1)
        }
        switch Int(answer) {
        case QUIRE_RECOMPUTE: return .recompute
        case QUIRE_SWAP: return .swap
        case QUIRE_CHEAPER: return .cheaper
        default: throw nonsense("preemption mode \(answer)")
        }
    }

    /// Calls the library's function for `event`, if it has one.
    func handle(_ event: PolicyEvent) throws(PluginError) {
        let now = event.now.nanoseconds
        try call([event.request]) { request, error in
            let request = request.baseAddress
            switch event.kind {
            case .arrived: return table.functions.arrived?(state, request, now, &error)
            case .admitted: return table.functions.admitted?(state, request, now, &error)
            case .progressed(let progress):
                var progress = quire_progress(progress)
                return table.functions.progressed?(state, request, &progress, now, &error)
            case .ended(let reason): return table.functions.ended?(state, request, reason.code, now, &error)
            }
        }
    }

    private func nonsense(_ reason: String) -> PluginError { .nonsense(policy: table.name, reason: reason) }

    /// Calls a function with requests; its status other than 0 becomes an error with its sentence.
    private func call(
        _ views: [RequestView], _ function: (UnsafeBufferPointer<quire_request>, inout quire_message) -> Int32?
    ) throws(PluginError) {
        var message = quire_message()
        var batch = RequestBatch(views)
        let status = batch.withRequests { function($0, &message) } ?? 0
        guard status == 0 else {
            let sentence = message.sentence
            throw .failed(policy: table.name, reason: sentence.isEmpty ? "status \(status)" : sentence)
        }
    }
}
