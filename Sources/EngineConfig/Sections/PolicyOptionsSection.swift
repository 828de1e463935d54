/// Parameters of scheduling policies; each policy reads its own.
public struct PolicyOptionsSection: Sendable, Equatable {
    /// What has to happen before a request's deadline.
    public enum DeadlineTarget: String, Sendable, CaseIterable {
        /// Its first token.
        case firstToken = "first_token"
        /// Its last.
        case finish
    }

    /// How long a request waits until that makes up for a step of priority, 100 tokens, or all levels.
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
    /// Requests at the head of the queue that are compared.
    public var window = 16

    init() {}
}

extension PolicyOptionsSection: ConfigurationSection {
    static let name = "policy_options"
    static let summary = "parameters of scheduling policies; each policy reads its own"
    static let keys: [ConfigurationKey<PolicyOptionsSection>] = [
        ConfigurationKey(
            "ageing_seconds", \.ageingSeconds, .seconds(in: 0.001...1e9),
            "How long waiting makes up for a step of priority (priority), 100 tokens (sjf) or all levels (mlfq)"),
        ConfigurationKey(
            "weights", \.weights, .weights, "Shares of tenants that differ from 1, by the user of the request (fair)"),
        ConfigurationKey(
            "prompt_cost", \.promptCost, .number(in: 0...1000), "What a prompt token costs its tenant (fair)"),
        ConfigurationKey(
            "output_cost", \.outputCost, .number(in: 0...1000), "What an output token costs its tenant (fair)"),
        ConfigurationKey(
            "levels", \.levels, .integer(in: 1...16), "Levels, each with twice the quantum of the one above (mlfq)"),
        ConfigurationKey(
            "quantum_tokens", \.quantumTokens, .integer(in: 1...(1 << 20)),
            "Output tokens before a request of the first level sinks to the second (mlfq)"),
        ConfigurationKey(
            "target", \.target, .choice, "What has to happen before a request's deadline_ms is over (deadline)"),
        ConfigurationKey(
            "default_deadline_ms", \.defaultDeadlineMs, .integer(in: 1...(1 << 40)),
            "Orders requests without a deadline_ms, which are never refused (deadline)"),
        ConfigurationKey(
            "window", \.window, .integer(in: 1...128), "Requests at the head of the queue that are compared (prefix)"),
    ]
}
