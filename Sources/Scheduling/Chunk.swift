import KVCaching
import Requests

/// The next tokens of one request, as many as a step's budget allows.
struct Chunk {
    let tokenCount: Int
    let scoredPositions: Range<Int>
    let samplesNext: Bool

    /// What `request` can do once `computedCount` of its tokens are in the cache; nil when the budget allows nothing.
    init?(of request: Request, computedCount: Int, within budget: StepBudget) {
        let remaining = request.tokens.count - computedCount
        var count = min(remaining, budget.tokenCount)
        var scored = 0..<0
        if request.sampling.promptLogprobs != nil {
            let lower = max(computedCount, request.scoredCount)
            let upper = min(computedCount + count, request.promptCount - 1)
            if lower < upper {
                scored = lower..<min(upper, lower + budget.scoredCount)
                // Positions that could not be scored now must not be computed now.
                if scored.upperBound < upper { count = scored.upperBound - computedCount }
            }
        }
        guard count > 0 else { return nil }
        tokenCount = count
        scoredPositions = scored
        samplesNext = count == remaining && request.sampling.maxTokens > 0
    }
}

extension ScheduledRequest {
    init(_ request: Request, _ chunk: Chunk) {
        let first = request.computedCount
        self.init(
            id: request.id, tokens: request.tokens[first..<first + chunk.tokenCount], firstPosition: first,
            blocks: request.blocks.blocks, samplesNext: chunk.samplesNext, scoredPositions: chunk.scoredPositions)
    }
}
