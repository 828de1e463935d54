import Dispatch
import Requests
import Scheduling
import Synchronization

/// Passes questions, one at a time, and events from the engine's thread to a policy's thread.
final class PolicyInbox: Sendable {
    typealias Question = @Sendable (CPolicy) -> Void

    /// The greatest number of undelivered events while the policy is busy; with more, the policy is not asked any more.
    static let maxEventCount = 1 << 17

    /// After this many events, they are delivered even if no question follows.
    private static let batchCount = 4096

    private struct State {
        var question: Question?
        /// From a question until the policy has answered it, whether the engine still waits or not.
        var isBusy = false
        var isGivenUp = false
        var isClosed = false
        var events: [PolicyEvent] = []
        /// Errors that the policy returned for events, until the engine's thread is told.
        var eventErrors: [PolicyDecision: PluginError] = [:]
    }

    private let name: String
    private let state = Mutex(State())
    private let wakeUp = DispatchSemaphore(value: 0)

    init(name: String) {
        self.name = name
    }

    /// Posts a question. Throws where an earlier one is not answered.
    func post(_ question: @escaping Question) throws(PluginError) {
        try state.withLock { state throws(PluginError) in
            if state.isGivenUp { throw .givenUp(policy: name) }
            if state.isBusy { throw .busy(policy: name) }
            state.isBusy = true
            state.question = question
        }
        wakeUp.signal()
    }

    /// Posts an event, which is delivered before the next question. Throws the error of an earlier event of its kind.
    func post(_ event: PolicyEvent) throws(PluginError) {
        try state.withLock { state throws(PluginError) in
            guard !state.isGivenUp else { throw .givenUp(policy: name) }
            guard state.events.count < Self.maxEventCount else {
                state.isGivenUp = true
                state.events = []
                throw .givenUp(policy: name)
            }
            state.events.append(event)
            // The next question may be far away; events must not pile up until then.
            if state.events.count % Self.batchCount == 0 { wakeUp.signal() }
            if !state.eventErrors.isEmpty, let error = state.eventErrors.removeValue(forKey: event.kind.decision) {
                throw error
            }
        }
    }

    /// Lets `serve` return after the question that it works on.
    func close() {
        state.withLock { $0.isClosed = true }
        wakeUp.signal()
    }

    // MARK: The policy's thread

    /// Delivers events and questions until `close`.
    func serve(_ policy: CPolicy) {
        while true {
            wakeUp.wait()
            let (question, events, isClosed) = state.withLock { state in
                defer {
                    state.question = nil
                    state.events = []
                }
                return (state.question, state.events, state.isClosed)
            }
            if isClosed { return }
            deliver(events, to: policy)
            question?(policy)
        }
    }

    /// Called by a question once it has its answer, before the answer is returned: then the next question may come.
    func finishQuestion() { state.withLock { $0.isBusy = false } }

    private func deliver(_ events: [PolicyEvent], to policy: CPolicy) {
        for event in events {
            do throws(PluginError) { try policy.handle(event) } catch {
                state.withLock { $0.eventErrors[event.kind.decision] = error }
            }
        }
    }
}

/// Something that has happened to a request.
struct PolicyEvent: Sendable {
    enum Kind: Sendable {
        case arrived, admitted
        case progressed(StepProgress)
        case ended(FinishReason)

        var decision: PolicyDecision {
            switch self {
            case .arrived: .arrived
            case .admitted: .admitted
            case .progressed: .progressed
            case .ended: .ended
            }
        }
    }

    let kind: Kind
    let request: RequestView
    let now: EngineInstant
}
