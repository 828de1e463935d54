public import KVCaching

/// One sequence of tokens on its way through the engine, owned by the scheduler.
///
/// Progress is one number: `computedCount` of `tokens` have their keys and values in the cache. A prompt, a chunk of
/// it, a single new token and what a preemption threw away are all the same: tokens not yet computed.
public struct Request: Sendable {
    /// Where a request stands.
    public enum Status: Sendable, Hashable {
        case waiting, running, preempted
    }

    /// Its name.
    public let id: RequestID
    /// How its tokens are chosen.
    public let sampling: SamplingParameters
    /// When it was submitted.
    public let arrival: EngineInstant
    /// Lower runs first under policies that look at it.
    public let priority: Int
    /// Whom it is for: `user` in the body. Requests without one belong to the tenant with the empty name.
    public let tenant: String
    /// When it should be served by: `deadline_ms` in the body, as a moment. Nil where the client set none.
    public let deadline: EngineInstant?
    /// Separates prefix caches: requests share blocks only with others of the same salt.
    public let cacheSalt: String?
    /// Another choice of the same prompt: this request waits until that one's prompt is in the cache, and shares it.
    public let leader: RequestID?
    /// How many of `tokens` are the prompt.
    public let promptCount: Int
    /// Prompt and output so far.
    public private(set) var tokens: [Int32]
    /// How many of `tokens` are in the cache.
    public package(set) var computedCount = 0
    /// How many of them came from the prefix cache when it was last admitted.
    public package(set) var cachedCount = 0
    /// How often it was preempted.
    public package(set) var preemptionCount = 0
    /// Prompt positions whose log probabilities have been reported.
    public package(set) var scoredCount = 0
    /// Whether the executor has seen it.
    public package(set) var wasAdmitted = false
    /// Where it stands.
    public package(set) var status = Status.waiting
    /// The blocks that hold its keys and values.
    public package(set) var blocks = BlockTable()

    /// A waiting request. Precondition: the prompt is not empty.
    public init(
        id: RequestID, prompt: [Int32], sampling: SamplingParameters, arrival: EngineInstant, priority: Int = 0,
        tenant: String = "", deadline: EngineInstant? = nil, cacheSalt: String? = nil,
        leader: RequestID? = nil
    ) {
        precondition(!prompt.isEmpty, "\(id) has no prompt")
        self.id = id
        self.sampling = sampling
        self.arrival = arrival
        self.priority = priority
        self.tenant = tenant
        self.deadline = deadline
        self.cacheSalt = cacheSalt
        self.leader = leader
        promptCount = prompt.count
        tokens = prompt
    }

    /// Tokens produced so far.
    public var outputCount: Int { tokens.count - promptCount }

    /// Tokens that still have to be computed before the next one can be sampled.
    public var remainingCount: Int { tokens.count - computedCount }

    package mutating func append(_ token: Int32) {
        tokens.append(token)
    }
}

/// Why a request ended.
public enum FinishReason: Sendable, Hashable {
    /// The token that ended it: the model's own or one of the request's stop tokens.
    case stopToken(Int32)
    /// One of the request's stop strings came up.
    case stopString(String)
    /// `maxTokens` or the model's longest sequence was reached.
    case length
    /// The client went away.
    case abort
    /// The device failed; the sentence says how.
    case failure(String)
    /// The scheduling policy would not serve it; the sentence says why.
    case rejected(String)
}
