import Requests

extension Request {
    /// Takes in one step's result; returns why the request has ended, if it has.
    mutating func advance(by step: ScheduledRequest, with result: StepResult, maxModelLength: Int) -> FinishReason? {
        computedCount += step.tokens.count
        scoredCount += step.scoredPositions.count
        guard let token = result.token else {
            return sampling.maxTokens == 0 && remainingCount == 0 ? .length : nil
        }
        append(token)
        if outputCount > sampling.minTokens, sampling.ends(at: token) { return .stopToken(token) }
        return outputCount >= sampling.maxTokens || tokens.count >= maxModelLength ? .length : nil
    }
}
