/// The bounds of a step and of a sequence.
public struct SchedulerLimits: Sendable, Hashable {
    /// The token budget: the greatest number of tokens that one step computes (`max_num_batched_tokens`).
    public let maxBatchedTokenCount: Int
    /// The greatest number of requests that run at once (`max_num_seqs`).
    public let maxSequenceCount: Int
    /// The greatest number of prompt and output tokens of one request (`max_model_len`).
    public let maxModelLength: Int
    /// The greatest number of prompt positions that one step scores, over all requests: each costs a row of logits.
    public let maxScoredCount: Int
    /// How often a policy may preempt one request. After that it is preempted only for requests admitted before it, so
    /// that the first of them always finishes.
    public let maxPreemptionCount: Int
    /// How many admissions a waiting request is passed over in before the scheduler overrules the policy: from then on, one
    /// admission in `overtakingInterval` is the request that has waited longest.
    public let maxOvertakingCount: Int
    /// Adapters that can be on the device at once (`max_loras`); 0: requests have none.
    public let adapterSlotCount: Int
    /// The steps after which an adapter that found no slot has a claim on the next one.
    public let maxAdapterWaitCount: Int
    /// See `maxOvertakingCount`.
    public static let overtakingInterval = 16

    /// The greatest `lookahead` of a policy.
    public static let maxLookahead = 128

    /// Precondition: all are positive, `maxPreemptionCount` not negative.
    public init(
        maxBatchedTokenCount: Int, maxSequenceCount: Int, maxModelLength: Int, maxScoredCount: Int = 64,
        maxPreemptionCount: Int = 8, maxOvertakingCount: Int = 4096, adapterSlotCount: Int = 0,
        maxAdapterWaitCount: Int = 64
    ) {
        precondition(
            maxBatchedTokenCount > 0 && maxSequenceCount > 0 && maxModelLength > 0 && maxScoredCount > 0
                && maxPreemptionCount >= 0 && maxOvertakingCount > 0 && adapterSlotCount >= 0
                && maxAdapterWaitCount > 0,
            "limits must be positive")
        self.maxBatchedTokenCount = maxBatchedTokenCount
        self.maxSequenceCount = maxSequenceCount
        self.maxModelLength = maxModelLength
        self.maxScoredCount = maxScoredCount
        self.maxPreemptionCount = maxPreemptionCount
        self.maxOvertakingCount = maxOvertakingCount
        self.adapterSlotCount = adapterSlotCount
        self.maxAdapterWaitCount = maxAdapterWaitCount
    }
}
