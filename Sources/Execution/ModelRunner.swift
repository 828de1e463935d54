public import Backends
public import Requests
import Sampling

/// Runs steps on a device: where tokens and blocks meet bytes, and nowhere else.
///
/// A step is three calls: lay the batch out, run the plan, sample its rows.
public struct ModelRunner: ModelExecutor {
    private let plan: any PreparedPlan
    private let vocabularySize: Int
    private var builder: BatchBuilder
    private var samplers: [RequestID: Sampler] = [:]
    private var scratch = SamplerScratch()

    /// A runner of `plan`, which already has its cache of blocks of `blockSize` tokens.
    public init(plan: any PreparedPlan, blockSize: Int, vocabularySize: Int) {
        self.plan = plan
        self.vocabularySize = vocabularySize
        builder = BatchBuilder(blockSize: blockSize)
    }

    /// Computes one step. Throws what the device throws; nothing is sampled then.
    public mutating func execute(_ output: SchedulerOutput) throws(BackendError) -> ModelRunnerOutput {
        for id in output.finished { samplers[id] = nil }
        for admitted in output.admitted {
            samplers[admitted.id] = Sampler(
                parameters: admitted.sampling, prompt: admitted.prompt, vocabularySize: vocabularySize)
        }
        guard !output.isEmpty else { return ModelRunnerOutput() }
        builder.build(output)
        return sample(try plan.run(builder.batch), output)
    }

    private mutating func sample(_ rows: SampledRows, _ output: SchedulerOutput) -> ModelRunnerOutput {
        var results: [StepResult] = []
        results.reserveCapacity(output.scheduled.count)
        var row = 0
        for scheduled in output.scheduled {
            var result = StepResult()
            for position in scheduled.scoredPositions {
                let next = samplers[scheduled.id]?.promptToken(at: position + 1)
                if let next { result.promptLogprobs.append(rows.withRow(row) { score($0, next: next) }) }
                row += 1
            }
            results.append(result)
        }
        return ModelRunnerOutput(results: results)
    }
}
