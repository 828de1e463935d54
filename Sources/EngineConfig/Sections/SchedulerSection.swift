public import Scheduling

/// Which requests run, and how much at once.
public struct SchedulerSection: Sendable, Equatable {
    /// The name of the `SchedulerPolicy` in the registry.
    public var policy = "fcfs"
    /// Which running request is preempted when blocks run out; nil leaves it to the policy.
    public var victim: VictimRule?
    /// Whether its keys and values are computed again or swapped out.
    public var preemption = PreemptionMode.cheaper
    /// The fraction of a step's tokens that prompts may take while other requests are running.
    public var promptShare = 1.0
    /// The token budget of one step.
    public var maxNumBatchedTokens = 2048
    /// Maximum number of requests in one step.
    public var maxNumSeqs = 128
    /// Maximum number of waiting requests; new ones beyond it are refused.
    public var maxWaiting = 4096
    /// Options of a policy from a plugin, by name.
    public var pluginOptions: [String: String] = [:]
    /// Milliseconds that a policy from a plugin may take for one decision.
    public var pluginTimeBudgetMs = 20

    init() {}
}

extension SchedulerSection: ConfigurationSection {
    static let name = "scheduler"
    static let summary = "which requests run, and how much at once"
    static let keys: [ConfigurationKey<SchedulerSection>] = [
        ConfigurationKey(
            "policy", \.policy, .name(of: "a scheduling policy"),
            "Which request runs first: fcfs, priority, sjf, mlfq, fair, deadline, prefix, or the policy of a plugin"
        ),
        ConfigurationKey(
            "victim", optional: \.victim, .choice, unset: "the policy's own rule", example: "least_computed",
            "Which running request is preempted when blocks run out"),
        ConfigurationKey(
            "preemption", \.preemption, .choice,
            "Whether a preempted request's keys and values are computed again or swapped out to cache.swap_space; auto: "
                + "what measures faster"),
        ConfigurationKey(
            "prompt_share", \.promptShare, .number(in: 0.001...1),
            "The fraction of a step's tokens that prompts may take while other requests are running"),
        ConfigurationKey(
            "max_num_batched_tokens", \.maxNumBatchedTokens, .integer(in: 1...(1 << 20)),
            "The token budget of one step, for prompts and answers together"),
        ConfigurationKey(
            "max_num_seqs", \.maxNumSeqs, .integer(in: 1...(1 << 16)), "Maximum number of requests in one step"),
        ConfigurationKey(
            "max_waiting", \.maxWaiting, .integer(in: 1...(1 << 20)),
            "Maximum number of waiting requests; more get status 429"),
        ConfigurationKey(
            "plugin_options", \.pluginOptions, .texts, "Options of a plugin's policy, which it reads itself"),
        ConfigurationKey(
            "plugin_time_budget_ms", \.pluginTimeBudgetMs, .integer(in: 1...60_000),
            "Milliseconds that a plugin's policy may take for one decision, before fcfs decides instead"),
    ]
    static let rules: [ConfigurationRule<SchedulerSection>] = [
        ConfigurationRule("max_num_batched_tokens", "max_num_seqs") {
            guard $0.maxNumSeqs > $0.maxNumBatchedTokens else { return nil }
            return "expected max_num_seqs to be at most max_num_batched_tokens, found "
                + "\($0.maxNumSeqs) and \($0.maxNumBatchedTokens)"
        }
    ]
}
