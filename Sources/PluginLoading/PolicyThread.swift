import Dispatch
import Scheduling
import Synchronization

/// A library's policy on a thread of its own: questions have a time limit, and late answers are dropped.
///
/// A thread that is stuck in the library cannot be stopped; it is abandoned, and its policy stays busy.
final class PolicyThread: Sendable {
    /// The time limit for a library to make its state.
    static let creationMilliseconds = 10_000

    private let name: String
    private let budgetMilliseconds: Int
    private let inbox: PolicyInbox
    let settings: PolicySettings

    /// Starts the thread, on which the library makes the state of one engine.
    init(
        _ table: PolicyTable, options: [String: String], budgetMilliseconds: Int
    ) throws(PluginError) {
        name = table.name
        self.budgetMilliseconds = budgetMilliseconds
        inbox = PolicyInbox(name: table.name)
        let start = Reply<PolicySettings>()
        DispatchQueue(label: "quire.policy.\(table.name)", qos: .userInitiated).async { [inbox] in
            do throws(PluginError) {
                let policy = try CPolicy(table, options: options)
                start.fulfill(.success(policy.settings))
                inbox.serve(policy)
            } catch {
                start.fulfill(.failure(error))
            }
        }
        guard let result = start.wait(milliseconds: Self.creationMilliseconds) else {
            inbox.close()
            throw .overran(policy: table.name, milliseconds: Self.creationMilliseconds)
        }
        settings = try result.get()
    }

    deinit { inbox.close() }

    /// The policy's answer, after the events so far are delivered. Throws where the policy is busy or too late.
    func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (CPolicy) -> Result<Answer, PluginError>
    ) throws(PluginError) -> Answer {
        let reply = Reply<Answer>()
        try inbox.post { [inbox] policy in
            let result = question(policy)
            inbox.finishQuestion()
            reply.fulfill(result)
        }
        guard let result = reply.wait(milliseconds: budgetMilliseconds) else {
            throw .overran(policy: name, milliseconds: budgetMilliseconds)
        }
        return try result.get()
    }

    /// Delivers the event before the next question. Throws the error of an earlier event of its kind.
    func post(_ event: PolicyEvent) throws(PluginError) { try inbox.post(event) }
}

/// One answer, passed from the policy's thread to the engine's thread, which may have stopped waiting for it.
final class Reply<Answer: Sendable>: Sendable {
    private let result = Mutex<Result<Answer, PluginError>?>(nil)
    private let isReady = DispatchSemaphore(value: 0)

    func fulfill(_ answer: Result<Answer, PluginError>) {
        result.withLock { $0 = answer }
        isReady.signal()
    }

    /// The answer; nil where none comes in time.
    func wait(milliseconds: Int) -> Result<Answer, PluginError>? {
        _ = isReady.wait(timeout: .now() + .milliseconds(milliseconds))
        return result.withLock { $0 }
    }
}
