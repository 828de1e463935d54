public import KVCaching

/// Names a request inside the engine; later requests have larger ids.
public struct RequestID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// A number that one engine never uses twice.
    public let rawValue: UInt64

    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Whether `left` was submitted before `right`.
    public static func < (left: RequestID, right: RequestID) -> Bool { left.rawValue < right.rawValue }

    /// `request 7`.
    public var description: String { "request \(rawValue)" }
}

/// One sequence of tokens on its way through the engine, owned by the scheduler.
///
/// Progress is one number: `computedCount` of `tokens` have their keys and values in the cache. A prompt, a chunk of
/// it, a single new token and the tokens that a preemption dropped are all the same: tokens not yet computed.
public struct Request: Sendable {
    public enum Status: Sendable, Hashable {
        case waiting, running, preempted
    }

    public let id: RequestID
    public let attributes: RequestAttributes
    /// When it was submitted.
    public let arrival: EngineInstant
    /// The moment by which the client needs an answer; nil where the client set no deadline.
    public let deadline: EngineInstant?
    /// Requests share cached prefixes only with others of the same salt: the client's salt and the adapter, whose keys and
    /// values are its own.
    public let prefixSalt: String?
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
    /// Prompt positions whose log probabilities have been returned.
    public private(set) var scoredCount = 0
    /// Whether the executor has seen it.
    public package(set) var wasAdmitted = false
    public package(set) var status = Status.waiting
    /// The blocks that hold its keys and values.
    public package(set) var blocks = BlockTable()

    /// A waiting request. Precondition: the prompt is not empty.
    public init(
        id: RequestID, prompt: [Int32], attributes: RequestAttributes = RequestAttributes(), arrival: EngineInstant,
        leader: RequestID? = nil
    ) {
        precondition(!prompt.isEmpty, "\(id) has no prompt")
        self.id = id
        self.attributes = attributes
        self.arrival = arrival
        deadline = attributes.deadlineSeconds.map { arrival.advanced(bySeconds: $0) }
        self.leader = leader
        // No salt of a client has this form without an adapter.
        prefixSalt =
            switch (attributes.adapter, attributes.cacheSalt) {
            case (nil, nil): nil
            case (nil, let salt?): ":\(salt)"
            case (let adapter?, nil): "\(adapter.rawValue)"
            case (let adapter?, let salt?): "\(adapter.rawValue):\(salt)"
            }
        promptCount = prompt.count
        tokens = prompt
    }

    /// Tokens produced so far. This is the one count of output: executor and engine are given it.
    public var outputCount: Int { tokens.count - promptCount }

    /// Tokens that still have to be computed before the next one can be sampled.
    public var remainingCount: Int { tokens.count - computedCount }

    /// Whether prompt positions remain to be scored.
    public var isScoring: Bool { attributes.sampling.promptLogprobs != nil && scoredCount < promptCount - 1 }

    /// Takes in the result of `step`: what it computed and scored, and the tokens that it produced, up to the first one
    /// that ends the request. Returns how many tokens were appended, and why the request has ended, if it has.
    package mutating func advance(
        by step: ScheduledRequest, producing produced: StepTokens, maxModelLength: Int
    ) -> (appendedCount: Int, finish: FinishReason?) {
        computedCount += step.tokens.count
        scoredCount += step.scoredPositions.count
        guard !produced.isEmpty else {
            return (0, attributes.sampling.maxTokens == 0 && remainingCount == 0 ? .length : nil)
        }
        var appendedCount = 0
        for token in produced {
            tokens.append(token)
            appendedCount += 1
            if let reason = finishReason(after: token, maxModelLength: maxModelLength) {
                return (appendedCount, reason)
            }
        }
        return (appendedCount, nil)
    }

    /// Why the request ends with `token`, the last one; nil where it goes on.
    private func finishReason(after token: Int32, maxModelLength: Int) -> FinishReason? {
        if attributes.sampling.allowsEnd(atOutputCount: outputCount), attributes.sampling.isEnd(token) {
            return .stopToken(token)
        }
        return outputCount >= attributes.sampling.maxTokens || tokens.count >= maxModelLength ? .length : nil
    }
}

/// Why a request ended.
public enum FinishReason: Sendable, Hashable {
    /// The token that ended it: the model's own or one of the request's stop tokens.
    case stopToken(Int32)
    /// The text contains this one of the request's stop strings.
    case stopString(String)
    /// It has `maxTokens` tokens of output, or the model's greatest length.
    case length
    /// The client went away.
    case abort
    /// The device failed; the sentence says how.
    case failure(String)
    /// The scheduling policy refused it; the sentence says why.
    case rejected(String)
}
