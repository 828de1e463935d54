/// Parameters of scheduling policies; each policy reads its own.
public struct PolicyOptionsSection: Sendable, Equatable {
    /// What has to happen before a request's deadline.
    public enum DeadlineTarget: String, Sendable, CaseIterable {
        /// Its first token.
        case firstToken = "first_token"
        /// Its last.
        case finish
    }

    /// Seconds of waiting that outweigh one step of priority, 100 tokens, or all levels.
    public var ageingSeconds = 300.0
    /// Weights of tenants; 1 for those not named.
    public var weights: [String: Double] = [:]
    /// What a prompt token costs a tenant.
    public var promptCost = 1.0
    /// What an output token costs a tenant.
    public var outputCost = 2.0
    /// Levels of the feedback queue.
    public var levels = 6
    /// Output tokens that a request of the first level may produce before it sinks.
    public var quantumTokens = 32
    /// What has to happen before a deadline.
    public var target = DeadlineTarget.firstToken
    /// The deadline that orders requests without one of their own.
    public var defaultDeadlineMs = 10_000
    /// Requests at the head of the queue that are compared by their cached prefixes.
    public var window = 16

    init() {}
}

extension PolicyOptionsSection: ConfigurationSection {
    static let name = "policy_options"
    static let summary = "parameters of scheduling policies; each policy reads its own"
    static let keys: [ConfigurationKey<PolicyOptionsSection>] = [
        ConfigurationKey(
            "ageing_seconds", \.ageingSeconds, .seconds(in: 0.001...1e9),
            "Seconds of waiting that outweigh one step of priority (priority), 100 tokens (sjf) or all levels (mlfq)"
        ).only(for: "priority", "sjf", "mlfq"),
        ConfigurationKey(
            "weights", \.weights, .weights, "Weights of tenants (the user of a request); 1 for those not named"
        ).only(for: "fair"),
        ConfigurationKey(
            "prompt_cost", \.promptCost, .number(in: 0...1000), "What a prompt token costs its tenant"
        ).only(for: "fair"),
        ConfigurationKey(
            "output_cost", \.outputCost, .number(in: 0...1000), "What an output token costs its tenant"
        ).only(for: "fair"),
        ConfigurationKey(
            "levels", \.levels, .integer(in: 1...16), "Number of levels, each with twice the quantum of the one above"
        ).only(for: "mlfq"),
        ConfigurationKey(
            "quantum_tokens", \.quantumTokens, .integer(in: 1...(1 << 20)),
            "Output tokens after which a request sinks from the first level to the second"
        ).only(for: "mlfq"),
        ConfigurationKey(
            "target", \.target, .choice, "What must happen before a request's deadline_ms is over"
        ).only(for: "deadline"),
        ConfigurationKey(
            "default_deadline_ms", \.defaultDeadlineMs, .integer(in: 1...(1 << 40)),
            "The deadline by which requests without deadline_ms are ordered; they are never refused"
        ).only(for: "deadline"),
        ConfigurationKey(
            "window", \.window, .integer(in: 1...128), "Requests at the head of the queue that are compared"
        ).only(for: "prefix"),
    ]

    /// Quire's policies that read no key.
    static let policiesWithoutOptions = ["fcfs"]
}

extension EngineConfiguration {
    /// The parameters that differ from their defaults and that none of `policies` reads, each where it was given. They are
    /// warnings and not errors, so that `scheduler.policy` can be changed alone. Empty where one of `policies` is not
    /// Quire's own: what that one reads is not known.
    public func unreadPolicyOptions(by policies: [String]) -> [ConfigurationIssue] {
        let known = Set(PolicyOptionsSection.keys.flatMap(\.scope) + PolicyOptionsSection.policiesWithoutOptions)
        guard known.isSuperset(of: policies) else { return [] }
        let defaults = PolicyOptionsSection()
        return PolicyOptionsSection.keys.flatMap { key -> [ConfigurationIssue] in
            guard key.render(policyOptions) != key.render(defaults), key.scope.allSatisfy({ !policies.contains($0) })
            else { return [] }
            let message =
                "not read by \(policies.joined(separator: ", ")), only by \(key.scope.joined(separator: ", "))"
            return error(at: "\(PolicyOptionsSection.name).\(key.name)", message: message).issues
        }
    }
}
