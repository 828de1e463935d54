/// The bounds of a step and of a sequence.
public struct SchedulerLimits: Sendable, Hashable {
    /// The token budget: tokens that one step computes at most (`max_num_batched_tokens`).
    public let maxBatchedTokenCount: Int
    /// Requests that run at once at most (`max_num_seqs`).
    public let maxSequenceCount: Int
    /// Prompt and output tokens of one request at most (`max_model_len`).
    public let maxModelLength: Int
    /// Prompt positions that one step scores at most, over all requests: each costs a row of logits.
    public let maxScoredCount: Int
    /// How often a policy may preempt one request. After that it gives way only to requests admitted before it, so
    /// that the first of them always finishes.
    public let maxPreemptionCount: Int
    /// Admissions that a request sees while it waits before the policy loses its say: from then on, one admission in
    /// `overtakingInterval` is the request that has waited longest.
    public let maxOvertakingCount: Int
    /// See `maxOvertakingCount`.
    public static let overtakingInterval = 16

    /// Candidates of one line that a policy is shown at most, whatever it asks for.
    public static let maxLookahead = 128

    /// The bounds as given. Precondition: all are positive, `maxPreemptionCount` not negative.
    public init(
        maxBatchedTokenCount: Int, maxSequenceCount: Int, maxModelLength: Int, maxScoredCount: Int = 64,
        maxPreemptionCount: Int = 8, maxOvertakingCount: Int = 4096
    ) {
        precondition(
            maxBatchedTokenCount > 0 && maxSequenceCount > 0 && maxModelLength > 0 && maxScoredCount > 0
                && maxPreemptionCount >= 0 && maxOvertakingCount > 0,
            "limits must be positive")
        self.maxBatchedTokenCount = maxBatchedTokenCount
        self.maxSequenceCount = maxSequenceCount
        self.maxModelLength = maxModelLength
        self.maxScoredCount = maxScoredCount
        self.maxPreemptionCount = maxPreemptionCount
        self.maxOvertakingCount = maxOvertakingCount
    }
}

/// What is left of a step.
struct StepBudget {
    var tokenCount: Int
    /// Of those, how many may go to prompts.
    var promptTokenCount: Int
    /// Rows of logits for prompt positions.
    var scoredCount: Int
    /// Running requests that are scored and have not had their turn in this step.
    var scorerCount = 0
    /// The rows that one may take: as many as the others that run, and one is left for a request that is admitted next, as
    /// nobody overtakes one that finds none.
    var scoredShare: Int { scoredCount == 0 ? 0 : max(1, (scoredCount - 1) / max(1, scorerCount)) }

    init(_ limits: SchedulerLimits, promptTokenCount: Int) {
        tokenCount = limits.maxBatchedTokenCount
        self.promptTokenCount = promptTokenCount
        scoredCount = limits.maxScoredCount
    }

    mutating func spend(_ chunk: Chunk) {
        tokenCount -= chunk.tokenCount
        if chunk.isPrompt { promptTokenCount -= chunk.tokenCount }
        scoredCount -= chunk.scoredPositions.count
    }

    mutating func refund(_ chunk: Chunk) {
        tokenCount += chunk.tokenCount
        if chunk.isPrompt { promptTokenCount += chunk.tokenCount }
        scoredCount += chunk.scoredPositions.count
    }
}
