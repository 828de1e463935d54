public import Backends
public import Requests
import Sampling

/// Runs steps on a device: where tokens and blocks meet bytes, and nowhere else.
///
/// A step is three calls: lay the batch out, run the plan, sample its rows.
public struct ModelRunner: ModelExecutor {
    private let plan: any PreparedPlan
    private var builder: BatchBuilder
    private var sequences: [RequestID: Sequence] = [:]
    private var scratch = SamplerScratch()

    private struct Sequence {
        let prompt: [Int32]
        let scoredTopCount: Int
        var sampler: Sampler
    }

    /// A runner of `plan`, which already has its cache, of blocks of `blockSize` tokens.
    public init(plan: any PreparedPlan, blockSize: Int) {
        self.plan = plan
        builder = BatchBuilder(blockSize: blockSize)
    }

    /// Computes one step. Throws what the device throws; nothing is sampled then.
    public mutating func execute(_ output: SchedulerOutput) throws -> ModelRunnerOutput {
        for id in output.finished { sequences[id] = nil }
        for admitted in output.admitted {
            sequences[admitted.id] = Sequence(
                prompt: admitted.prompt, scoredTopCount: admitted.sampling.promptLogprobs ?? 0,
                sampler: Sampler(parameters: admitted.sampling, prompt: admitted.prompt))
        }
        guard !output.isEmpty else { return ModelRunnerOutput() }
        builder.build(output)
        return sample(try plan.run(builder.batch), output)
    }

    /// Rows come in the order in which the builder asked for them.
    private mutating func sample(_ rows: SampledRows, _ output: SchedulerOutput) -> ModelRunnerOutput {
        var results: [StepResult] = []
        results.reserveCapacity(output.scheduled.count)
        var row = 0
        for scheduled in output.scheduled {
            guard let sequence = sequences[scheduled.id] else {
                preconditionFailure("\(scheduled.id) was scheduled before it was admitted")
            }
            var result = StepResult()
            for position in scheduled.scoredPositions {
                let scores = rows.withRow(row) {
                    logprobs(of: sequence.prompt[position + 1], topCount: sequence.scoredTopCount, in: $0)
                }
                result.promptLogprobs.append(scores)
                row += 1
            }
            if scheduled.samplesNext {
                // In place: a copy would copy what the sampler remembers.
                let choice = rows.withRow(row) { sequences[scheduled.id]?.sampler.sample($0, scratch: &scratch) }
                result.token = choice?.token
                result.logprobs = choice?.logprobs
                row += 1
            }
            results.append(result)
        }
        return ModelRunnerOutput(results: results)
    }
}
