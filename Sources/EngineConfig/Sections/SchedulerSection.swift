/// Who runs, and how much at once.
public struct SchedulerSection: Sendable, Equatable {
    /// The name of the `SchedulerPolicy` in the registry.
    public var policy = "fcfs"
    /// Who gives way when blocks run out; nil leaves it to the policy.
    public var victim: VictimChoice?
    /// What becomes of what they have computed.
    public var preemption = PreemptionChoice.auto
    /// The share of a step's tokens that prompts may take while others are running.
    public var promptShare = 1.0
    /// The token budget of one step.
    public var maxNumBatchedTokens = 2048
    /// The most requests in one step.
    public var maxNumSeqs = 128
    /// The most requests that wait; beyond it new ones are refused.
    public var maxWaiting = 4096
    /// What a policy from outside is told, by key.
    public var pluginOptions: [String: String] = [:]
    /// Milliseconds that a policy from outside may take for one decision.
    public var pluginTimeBudgetMs = 20

    /// The rules that say who gives way.
    public enum VictimChoice: String, Sendable, CaseIterable {
        case lastArrived = "last_arrived"
        case lowestPriority = "lowest_priority"
        case leastComputed = "least_computed"
        case mostBlocks = "most_blocks"
    }

    /// What becomes of a victim's keys and values.
    public enum PreemptionChoice: String, Sendable, CaseIterable {
        case auto, recompute, swap
    }

    init() {}
}

extension SchedulerSection: ConfigurationSection {
    static let name = "scheduler"
    static let summary = "who runs, and how much at once"
    static let keys: [ConfigurationKey<SchedulerSection>] = [
        ConfigurationKey(
            "policy", \.policy, .name(of: "a scheduling policy"),
            "Who comes first: fcfs, priority, sjf, mlfq, fair, deadline, prefix, or a policy of plugins; see policy_options"
        ),
        ConfigurationKey(
            "victim", optional: \.victim, .choice, unset: "the policy's own rule", example: "least_computed",
            "Who gives way when blocks run out"),
        ConfigurationKey(
            "preemption", \.preemption, .choice,
            "Whether a victim's keys and values are computed again or swapped out to cache.swap_space; auto takes what "
                + "is faster, as measured"),
        ConfigurationKey(
            "prompt_share", \.promptShare, .number(in: 0.001...1),
            "The share of a step's tokens that prompts may take while others are running"),
        ConfigurationKey(
            "max_num_batched_tokens", \.maxNumBatchedTokens, .integer(in: 1...(1 << 20)),
            "The token budget of one step, for prompts and answers together"),
        ConfigurationKey("max_num_seqs", \.maxNumSeqs, .integer(in: 1...(1 << 16)), "The most requests in one step"),
        ConfigurationKey(
            "max_waiting", \.maxWaiting, .integer(in: 1...(1 << 20)),
            "The most requests that wait; beyond it new ones are refused"),
        ConfigurationKey(
            "plugin_options", \.pluginOptions, .texts, "What a policy of plugins is told, for itself to understand"),
        ConfigurationKey(
            "plugin_time_budget_ms", \.pluginTimeBudgetMs, .integer(in: 1...60_000),
            "Milliseconds that a policy of plugins may take for a decision; later ones are made by fcfs"),
    ]
    static let rules: [ConfigurationRule<SchedulerSection>] = [
        ConfigurationRule("max_num_batched_tokens", "max_num_seqs") {
            guard $0.maxNumSeqs > $0.maxNumBatchedTokens else { return nil }
            return "expected max_num_seqs to be at most max_num_batched_tokens, found "
                + "\($0.maxNumSeqs) and \($0.maxNumBatchedTokens)"
        }
    ]
}
