public import Requests

/// What a policy may know of a request: numbers as they are now, and never a block.
public struct RequestView: Sendable, Hashable {
    /// Its name.
    public let id: RequestID
    /// When it was submitted.
    public let arrival: EngineInstant
    /// Lower is more urgent.
    public let priority: Int
    /// Whom it is for; empty where the client named nobody.
    public let tenant: String
    /// When it should be served by, where the client said so.
    public let deadline: EngineInstant?
    /// Tokens of its prompt.
    public let promptCount: Int
    /// Tokens produced so far.
    public let outputCount: Int
    /// Tokens that it may still produce at most.
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

    /// Tokens to compute before it can produce the next one: its estimated work for that.
    public var remainingCount: Int { promptCount + outputCount - computedCount }

    /// A view as given: for tests of policies, and for those that get theirs in another form.
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
