/// What one step produced, as plain data.
public struct ModelRunnerOutput: Sendable {
    /// One entry for each of `SchedulerOutput.scheduled`, in the same order.
    public var results: [StepResult]
    /// Seconds that the step's moves took; nil where there were none or nobody waited for them.
    public var moveSeconds: Double?

    /// The results as given.
    public init(results: [StepResult] = [], moveSeconds: Double? = nil) {
        self.results = results
        self.moveSeconds = moveSeconds
    }
}

/// What one step produced for one request.
public struct StepResult: Sendable, Hashable {
    /// The token sampled, where the step asked for one.
    public var token: Int32?
    /// Its log probabilities, where the request asked for them.
    public var logprobs: TokenLogprobs?
    /// Scores of prompt tokens, one for each of the step's `scoredPositions`, where the request asked for them.
    public var promptLogprobs: [TokenLogprobs]

    /// The three as given.
    public init(token: Int32? = nil, logprobs: TokenLogprobs? = nil, promptLogprobs: [TokenLogprobs] = []) {
        self.token = token
        self.logprobs = logprobs
        self.promptLogprobs = promptLogprobs
    }
}

/// Runs one step of the model. `ModelRunner` is the real one; `ScriptedExecutor` needs no model.
public protocol ModelExecutor {
    /// Computes `output` and returns one result for each scheduled request.
    mutating func execute(_ output: SchedulerOutput) throws -> ModelRunnerOutput
}
