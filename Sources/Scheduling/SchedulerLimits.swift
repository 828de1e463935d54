import Requests

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

    /// The bounds as given. Precondition: all are positive.
    public init(maxBatchedTokenCount: Int, maxSequenceCount: Int, maxModelLength: Int, maxScoredCount: Int = 64) {
        precondition(
            maxBatchedTokenCount > 0 && maxSequenceCount > 0 && maxModelLength > 0 && maxScoredCount > 0,
            "limits must be positive")
        self.maxBatchedTokenCount = maxBatchedTokenCount
        self.maxSequenceCount = maxSequenceCount
        self.maxModelLength = maxModelLength
        self.maxScoredCount = maxScoredCount
    }
}

/// What is left of a step.
struct StepBudget {
    var tokenCount: Int
    var scoredCount: Int

    init(_ limits: SchedulerLimits) {
        tokenCount = limits.maxBatchedTokenCount
        scoredCount = limits.maxScoredCount
    }

    mutating func spend(_ chunk: Chunk) {
        tokenCount -= chunk.tokenCount
        scoredCount -= chunk.scoredPositions.count
    }

    mutating func refund(_ scheduled: ScheduledRequest) {
        tokenCount += scheduled.tokens.count
        scoredCount += scheduled.scoredPositions.count
    }
}
