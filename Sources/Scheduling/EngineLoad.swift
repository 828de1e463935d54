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
    /// Tokens that fit into the free blocks of the cache before any block behind a sliding window is freed.
    public let freeTokenCount: Int
    /// The same for all blocks of the cache.
    public let capacityTokenCount: Int

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

/// How a step's token budget is shared between the requests that run and new prompts.
public struct BudgetShare: Sendable, Hashable {
    /// The greatest number of tokens that prompts, running or new, take in this step, so that long prompts do not stop
    /// the output of other requests.
    public var promptTokenCount: Int
    /// Tokens that running requests leave to new ones.
    public var reservedTokenCount: Int

    /// Running requests first, new ones with what is left (Sarathi-Serve, OSDI'24, without its limit for prompts).
    public static let runningFirst = BudgetShare(promptTokenCount: .max, reservedTokenCount: 0)

    /// The scheduler brings both numbers into range.
    public init(promptTokenCount: Int, reservedTokenCount: Int) {
        self.promptTokenCount = promptTokenCount
        self.reservedTokenCount = reservedTokenCount
    }

    /// The same share, with at least one token for the first request: no share can stop the engine.
    func clamped(to budget: Int) -> BudgetShare {
        BudgetShare(
            promptTokenCount: min(max(promptTokenCount, 1), budget),
            reservedTokenCount: min(max(reservedTokenCount, 0), budget - 1))
    }
}
