/// Who runs, and how much at once.
public struct SchedulerSection: Sendable, Equatable {
    /// The name of the `SchedulerPolicy` in the registry.
    public var policy = "fcfs"
    /// The token budget of one step.
    public var maxNumBatchedTokens = 2048
    /// The most requests in one step.
    public var maxNumSeqs = 128
    /// The most requests that wait; beyond it new ones are refused.
    public var maxWaiting = 4096

    init() {}
}

extension SchedulerSection: ConfigurationSection {
    static let name = "scheduler"
    static let summary = "who runs, and how much at once"
    static let keys: [ConfigurationKey<SchedulerSection>] = [
        ConfigurationKey("policy", \.policy, .name(of: "a scheduling policy"), "Who comes first; fcfs: by arrival"),
        ConfigurationKey(
            "max_num_batched_tokens", \.maxNumBatchedTokens, .integer(in: 1...(1 << 20)),
            "The token budget of one step, for prompts and answers together"),
        ConfigurationKey("max_num_seqs", \.maxNumSeqs, .integer(in: 1...(1 << 16)), "The most requests in one step"),
        ConfigurationKey(
            "max_waiting", \.maxWaiting, .integer(in: 1...(1 << 20)),
            "The most requests that wait; beyond it new ones are refused"),
    ]
    static let rules: [ConfigurationRule<SchedulerSection>] = [
        ConfigurationRule("max_num_batched_tokens", "max_num_seqs") {
            guard $0.maxNumSeqs > $0.maxNumBatchedTokens else { return nil }
            return "expected max_num_seqs to be at most max_num_batched_tokens, found "
                + "\($0.maxNumSeqs) and \($0.maxNumBatchedTokens)"
        }
    ]
}
