import Dispatch
import Scheduling
import Synchronization

/// Where the engine's thread leaves one question at a time, and what has happened, for a policy's thread.
final class PolicyDesk: Sendable {
    typealias Question = @Sendable (CPolicy) -> Void

    /// Events that may lie here while the policy is busy; with more it is given up.
    static let maxEventCount = 1 << 17

    /// With so many the policy hears of them even if it is not asked.
    private static let batchCount = 4096

    private struct State {
        var question: Question?
        /// From asking until the policy is done, whether somebody still waits or not.
        var isBusy = false
        var isGivenUp = false
        var isClosed = false
        var events: [PolicyEvent] = []
        /// What the policy answered to events, until somebody hears of it.
        var complaints: [PolicyDecision: PluginError] = [:]
    }

    private let name: String
    private let state = Mutex(State())
    private let wakeUp = DispatchSemaphore(value: 0)

    init(name: String) {
        self.name = name
    }

    /// Leaves a question. Throws where an earlier one is not done.
    func ask(_ question: @escaping Question) throws(PluginError) {
        try state.withLock { state throws(PluginError) in
            if state.isGivenUp { throw .givenUp(policy: name) }
            if state.isBusy { throw .busy(policy: name) }
            state.isBusy = true
            state.question = question
        }
        wakeUp.signal()
    }

    /// Leaves an event, heard of before the next question. Throws what was wrong with an earlier one of its kind.
    func tell(_ event: PolicyEvent) throws(PluginError) {
        try state.withLock { state throws(PluginError) in
            guard !state.isGivenUp else { throw .givenUp(policy: name) }
            guard state.events.count < Self.maxEventCount else {
                state.isGivenUp = true
                state.events = []
                throw .givenUp(policy: name)
            }
            state.events.append(event)
            // Nobody may ask for long; what has happened must not pile up.
            if state.events.count % Self.batchCount == 0 { wakeUp.signal() }
            if !state.complaints.isEmpty, let complaint = state.complaints.removeValue(forKey: event.kind.decision) {
                throw complaint
            }
        }
    }

    /// Lets `serve` return once it is done with what it does.
    func close() {
        state.withLock { $0.isClosed = true }
        wakeUp.signal()
    }

    // MARK: The policy's thread

    /// Answers questions until the desk is closed.
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
            hear(events, policy)
            question?(policy)
        }
    }

    /// Called by a question once it has its answer, before it gives it away.
    func isDone() { state.withLock { $0.isBusy = false } }

    private func hear(_ events: [PolicyEvent], _ policy: CPolicy) {
        for event in events {
            do throws(PluginError) { try policy.hear(event) } catch {
                state.withLock { $0.complaints[event.kind.decision] = error }
            }
        }
    }
}
