import KVCaching
import Requests

/// The next tokens of one request, as many as a step's budget allows.
struct Chunk: Sendable {
    let tokenCount: Int
    let scoredPositions: Range<Int>
    let samplesNext: Bool
    /// Whether it is part of a prompt, or of what a preemption threw away, and not just the newest token.
    let isPrompt: Bool
}

extension Request {
    /// Whether prompt positions remain to be scored.
    var isScoring: Bool { sampling.promptLogprobs != nil && scoredCount < promptCount - 1 }

    /// What can be done once `computedCount` tokens are in the cache; nil when the budget allows nothing.
    func chunk(after computedCount: Int, within budget: StepBudget) -> Chunk? {
        let remaining = tokens.count - computedCount
        let isPrompt = remaining > 1
        var count = min(remaining, budget.tokenCount)
        if isPrompt { count = min(count, budget.promptTokenCount) }
        var scored = 0..<0
        if sampling.promptLogprobs != nil {
            let lower = max(computedCount, scoredCount)
            let upper = min(computedCount + count, promptCount - 1)
            if lower < upper {
                scored = lower..<min(upper, lower + budget.scoredShare)
                // Positions that could not be scored now must not be computed now.
                if scored.upperBound < upper { count = scored.upperBound - computedCount }
            }
        }
        guard count > 0 else { return nil }
        return Chunk(
            tokenCount: count, scoredPositions: scored, samplesNext: count == remaining && sampling.maxTokens > 0,
            isPrompt: isPrompt)
    }

    /// The executor's part of `chunk`, which begins after what is computed.
    func scheduled(_ chunk: Chunk) -> ScheduledRequest {
        let range = computedCount..<computedCount + chunk.tokenCount
        // A copy: a slice would share the tokens, and appending the next one would then copy all of them.
        let part = ArraySlice(Array(tokens[range]))
        return ScheduledRequest(
            id: id, tokens: part, firstPosition: range.lowerBound, blocks: blocks.blocks,
            samplesNext: chunk.samplesNext, scoredPositions: chunk.scoredPositions)
    }
}
