public import SharedValues

/// One step's work as plain data: which requests, how many tokens, which blocks.
public struct SchedulerOutput: Sendable {
    /// Requests that the executor has not seen before; each is also in `scheduled`.
    public var admitted: [AdmittedRequest] = []
    /// The step's work, in the order of the running requests.
    public var scheduled: [ScheduledRequest] = []
    /// Copies of blocks that come before everything that the step computes, even where it computes nothing.
    public var moves: [BlockMove] = []
    /// Adapters to put into the device's slots before everything that the step computes, even where it computes nothing.
    /// At most one for each slot.
    public var adapterLoads: [AdapterLoad] = []
    /// Requests whose blocks were taken back in this step.
    public var preempted: [RequestID] = []
    /// Requests that the policy refused, with the reason; they never ran, or will not run again.
    public var rejected: [RejectedRequest] = []
    /// Requests that ended since the last step: the executor can drop what it keeps for them.
    public var finished: [RequestID] = []

    /// An empty step.
    public init() {}

    /// Tokens to compute, over all requests.
    public var tokenCount: Int { scheduled.reduce(0) { $0 + $1.tokens.count } }
    /// Whether there is nothing to compute.
    public var isEmpty: Bool { scheduled.isEmpty }
}

/// What the executor must know about a request once.
public struct AdmittedRequest: Sendable {
    public let id: RequestID
    public let prompt: [Int32]
    public let sampling: SamplingParameters

    public init(id: RequestID, prompt: [Int32], sampling: SamplingParameters) {
        self.id = id
        self.prompt = prompt
        self.sampling = sampling
    }
}

/// A request that the policy refused.
public struct RejectedRequest: Sendable, Hashable {
    public let id: RequestID
    /// Why, in a sentence for the client.
    public let reason: String

    public init(id: RequestID, reason: String) {
        self.id = id
        self.reason = reason
    }
}

/// One request's part of a step.
public struct ScheduledRequest: Sendable {
    public let id: RequestID
    /// The tokens to compute: consecutive, beginning at `firstPosition`.
    public let tokens: ArraySlice<Int32>
    /// Position of the first of them.
    public let firstPosition: Int
    /// For each cache group all its blocks, those of earlier positions included; -1 for those that no token of the step
    /// sees.
    public let blocks: [[BlockID]]
    /// Whether the last token's logits choose the next token.
    public let samplesNext: Bool
    /// Tokens that the request has produced before this step.
    public let outputCount: Int
    /// Positions (of this step's) whose logits score the prompt token that follows; empty for most.
    public let scoredPositions: Range<Int>
    /// The slot of its adapter; nil: it has none.
    public let adapterSlot: Int?

    public init(
        id: RequestID, tokens: ArraySlice<Int32>, firstPosition: Int, blocks: [[BlockID]], samplesNext: Bool,
        outputCount: Int, scoredPositions: Range<Int>, adapterSlot: Int? = nil
    ) {
        self.id = id
        self.tokens = tokens
        self.firstPosition = firstPosition
        self.blocks = blocks
        self.samplesNext = samplesNext
        self.outputCount = outputCount
        self.scoredPositions = scoredPositions
        self.adapterSlot = adapterSlot
    }
}
