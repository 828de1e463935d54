public import Requests

/// What of a step costs time: the counts that a `StepCost` is made of.
public struct StepFeatures: Sendable, Hashable, Codable {
    /// Tokens of prompts, and of what a preemption threw away.
    public var promptTokenCount = 0
    /// Sequences of which only the newest token is computed.
    public var sequenceCount = 0
    /// Tokens whose keys and values are read: each request's context, once.
    public var contextTokenCount = 0
    /// Pairs of a prompt's token and a token that it attends to, itself included: grows with the square of a prompt.
    public var promptPairCount = 0
    /// Blocks that are swapped or copied.
    public var moveCount = 0

    /// An empty step.
    public init() {}

    /// The counts of `output`.
    public init(_ output: SchedulerOutput) {
        for scheduled in output.scheduled {
            let count = scheduled.tokens.count
            contextTokenCount += scheduled.firstPosition + count
            if count > 1 {
                promptTokenCount += count
                promptPairCount += count * scheduled.firstPosition + count * (count + 1) / 2
            } else {
                sequenceCount += 1
            }
        }
        moveCount = output.moves.count
    }

    /// Tokens to compute.
    public var rowCount: Int { promptTokenCount + sequenceCount }

    private enum CodingKeys: String, CodingKey {
        case promptTokenCount = "prompt_tokens"
        case sequenceCount = "sequences"
        case contextTokenCount = "context_tokens"
        case promptPairCount = "prompt_pairs"
        case moveCount = "moves"
    }
}
