public import SharedValues

/// What one step produced, as plain data.
public struct ModelRunnerOutput: Sendable {
    /// One result for each of `SchedulerOutput.scheduled`, in the same order.
    public var results: [StepResult]
    /// Seconds that the step's moves took; nil where there were none or the step did not wait for them.
    public var moveSeconds: Double?
    /// The experts that the step's rows chose, by their memory; nil: all are in one memory.
    public var expertRows: ExpertRows?

    public init(results: [StepResult] = [], moveSeconds: Double? = nil, expertRows: ExpertRows? = nil) {
        self.results = results
        self.moveSeconds = moveSeconds
        self.expertRows = expertRows
    }
}

/// What one step produced for one request.
public struct StepResult: Sendable, Hashable {
    /// The tokens sampled, where the step asked for any.
    public var tokens: StepTokens
    /// Log probabilities of each of `tokens` where the request asked for them; else empty.
    public var logprobs: [TokenLogprobs]
    /// Scores of prompt tokens, one for each of the step's `scoredPositions`, where the request asked for them.
    public var promptLogprobs: [TokenLogprobs]

    public init(
        tokens: StepTokens = StepTokens(), logprobs: [TokenLogprobs] = [], promptLogprobs: [TokenLogprobs] = []
    ) {
        self.tokens = tokens
        self.logprobs = logprobs
        self.promptLogprobs = promptLogprobs
    }

    /// Drops the tokens after the first `count`, and their log probabilities.
    public mutating func keepTokens(_ count: Int) {
        guard count < tokens.count else { return }
        tokens = StepTokens(tokens.prefix(count))
        logprobs = Array(logprobs.prefix(count))
    }
}

/// The tokens that one step produced for one request, in order.
///
/// Ordinary steps produce one token or none, which lies in the value itself, so that they allocate nothing. Several, as
/// speculative decoding produces them, lie in an array.
public struct StepTokens: RandomAccessCollection, Sendable, Hashable {
    @usableFromInline var head: Int32?
    @usableFromInline var tail: [Int32] = []

    @inlinable public init() {}

    @inlinable public init(_ token: Int32) { head = token }

    @inlinable public init(_ tokens: some Sequence<Int32>) {
        for token in tokens { append(token) }
    }

    @inlinable public mutating func append(_ token: Int32) {
        if head == nil { head = token } else { tail.append(token) }
    }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { head == nil ? 0 : 1 + tail.count }

    @inlinable public subscript(position: Int) -> Int32 {
        if position == 0, let head { return head }
        return tail[position - 1]
    }
}

/// A token with its natural-log probability and rank.
public struct TokenLogprob: Sendable, Hashable {
    public let token: Int32
    /// Natural logarithm of its probability under the model, before temperature and penalties.
    public let logprob: Float
    /// How many tokens are more likely, plus one.
    public let rank: Int

    public init(token: Int32, logprob: Float, rank: Int) {
        self.token = token
        self.logprob = logprob
        self.rank = rank
    }
}

/// A token of a sequence with the most likely alternatives at its position.
public struct TokenLogprobs: Sendable, Hashable {
    /// The token of the sequence.
    public let chosen: TokenLogprob
    /// The most likely tokens, best first; may include the chosen one.
    public let top: [TokenLogprob]

    public init(chosen: TokenLogprob, top: [TokenLogprob]) {
        self.chosen = chosen
        self.top = top
    }
}

/// Runs one step of the model. `ModelRunner` runs a real one; `ScriptedExecutor` needs no model.
public protocol ModelExecutor {
    /// Computes `output` and returns one result for each scheduled request.
    mutating func execute(_ output: SchedulerOutput) throws -> ModelRunnerOutput
}
