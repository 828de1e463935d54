import Requests

/// Answers as long as the trace says, without a model: the last token of each is the one that ends it.
struct SimulatedExecutor {
    /// Ends an answer.
    static let endToken: Int32 = 0
    private static let token: Int32 = 1

    /// Results for `output`; `outputCount` tells how long a request's answer will be, and how long its prompt is.
    func execute(
        _ output: SchedulerOutput, lengths: (RequestID) -> (prompt: Int, output: Int)
    ) -> ModelRunnerOutput {
        ModelRunnerOutput(
            results: output.scheduled.map { scheduled in
                guard scheduled.samplesNext else { return StepResult() }
                let (promptCount, outputCount) = lengths(scheduled.id)
                let produced = scheduled.firstPosition + scheduled.tokens.count - promptCount + 1
                return StepResult(token: produced >= outputCount ? Self.endToken : Self.token)
            })
    }
}
