/// How busy the engine is: what a policy may know beside the requests themselves.
public struct EngineLoad: Sendable, Hashable {
    /// Requests that run.
    public let runningCount: Int
    /// Requests that wait.
    public let waitingCount: Int
    /// Requests that may run at once.
    public let maxSequenceCount: Int
    /// Tokens of this step's budget that are not spent yet.
    public let tokenBudget: Int
    /// Tokens of a whole step's budget.
    public let maxBatchedTokenCount: Int
    /// Tokens for which the cache has free blocks.
    public let freeTokenCount: Int
    /// Tokens for which the cache has blocks at all.
    public let capacityTokenCount: Int

    /// The numbers as given.
    public init(
        runningCount: Int, waitingCount: Int, maxSequenceCount: Int, tokenBudget: Int, maxBatchedTokenCount: Int,
        freeTokenCount: Int, capacityTokenCount: Int
    ) {
        self.runningCount = runningCount
        self.waitingCount = waitingCount
        self.maxSequenceCount = maxSequenceCount
        self.tokenBudget = tokenBudget
        self.maxBatchedTokenCount = maxBatchedTokenCount
        self.freeTokenCount = freeTokenCount
        self.capacityTokenCount = capacityTokenCount
    }
}
