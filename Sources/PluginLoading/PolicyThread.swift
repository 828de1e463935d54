import Dispatch
import Scheduling

/// A library's policy on a thread of its own: questions have a time limit, and late answers are thrown away.
///
/// A thread that is stuck in the library cannot be stopped; it is left alone, and its policy stays busy.
final class PolicyThread: Sendable {
    /// How long a library may take to make its state.
    static let creationMilliseconds = 10_000

    private let name: String
    private let budgetMilliseconds: Int
    private let desk: PolicyDesk
    let settings: PolicySettings

    /// Starts the thread, on which the library makes the state of one engine.
    init(
        _ table: PolicyTable, options: [String: String], budgetMilliseconds: Int
    ) throws(PluginError) {
        name = table.name
        self.budgetMilliseconds = budgetMilliseconds
        desk = PolicyDesk(name: table.name)
        let start = Reply<PolicySettings>()
        DispatchQueue(label: "quire.policy.\(table.name)", qos: .userInitiated).async { [desk] in
            do throws(PluginError) {
                let policy = try CPolicy(table, options: options)
                start.give(.success(policy.settings))
                desk.serve(policy)
            } catch {
                start.give(.failure(error))
            }
        }
        guard let result = start.wait(milliseconds: Self.creationMilliseconds) else {
            desk.close()
            throw .overran(policy: table.name, milliseconds: Self.creationMilliseconds)
        }
        settings = try result.get()
    }

    deinit { desk.close() }

    /// What the policy answers, after it has heard what happened. Throws where it is busy, or is not done in time.
    func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (CPolicy) -> Result<Answer, PluginError>
    ) throws(PluginError) -> Answer {
        let reply = Reply<Answer>()
        try desk.ask { [desk] policy in
            let result = question(policy)
            desk.isDone()
            reply.give(result)
        }
        guard let result = reply.wait(milliseconds: budgetMilliseconds) else {
            throw .overran(policy: name, milliseconds: budgetMilliseconds)
        }
        return try result.get()
    }

    /// Remembers what has happened until the next question.
    func tell(_ event: PolicyEvent) throws(PluginError) { try desk.tell(event) }
}
