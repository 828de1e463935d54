public import Requests

/// What a policy may know of a request: its numbers at this moment, and never a block.
public struct RequestView: Sendable, Hashable {
    public let id: RequestID
    /// When it was submitted.
    public let arrival: EngineInstant
    /// Lower is more urgent.
    public let priority: Int
    /// The user or team that it belongs to; empty where the client named none.
    public let tenant: String
    /// The moment by which the client needs an answer, where the client named one.
    public let deadline: EngineInstant?
    /// Tokens of its prompt.
    public let promptCount: Int
    /// Tokens produced so far.
    public let outputCount: Int
    /// The greatest number of tokens that it may still produce.
    public let outputLimit: Int
    /// Tokens whose keys and values are in the cache.
    public let computedCount: Int
    /// Tokens that the prefix cache held when it was last admitted; while it waits, those that it holds now, for
    /// policies that ask (`wantsCachedCounts`).
    public internal(set) var cachedCount: Int
    /// How often it was preempted.
    public let preemptionCount: Int
    /// How many blocks it holds.
    public let blockCount: Int

    /// Tokens to compute before it can produce the next one.
    public var remainingCount: Int { promptCount + outputCount - computedCount }

    /// For tests of policies, and for libraries that get their views as C structs.
    public init(
        id: RequestID, arrival: EngineInstant, priority: Int = 0, tenant: String = "", deadline: EngineInstant? = nil,
        promptCount: Int, outputCount: Int = 0, outputLimit: Int = 16, computedCount: Int = 0,
        cachedCount: Int = 0, preemptionCount: Int = 0, blockCount: Int = 0
    ) {
        self.id = id
        self.arrival = arrival
        self.priority = priority
        self.tenant = tenant
        self.deadline = deadline
        self.promptCount = promptCount
        self.outputCount = outputCount
        self.outputLimit = outputLimit
        self.computedCount = computedCount
        self.cachedCount = cachedCount
        self.preemptionCount = preemptionCount
        self.blockCount = blockCount
    }
}

/// What one step did for one request.
public struct StepProgress: Sendable, Hashable {
    /// Tokens computed.
    public let computedCount: Int
    /// Those of them that had been computed before a preemption.
    public let recomputedCount: Int
    /// Tokens produced: none in the middle of a prompt, else usually one.
    public let producedCount: Int

    public init(computedCount: Int, recomputedCount: Int, producedCount: Int) {
        self.computedCount = computedCount
        self.recomputedCount = recomputedCount
        self.producedCount = producedCount
    }
}
