public import Backends
import KVCaching
public import Requests
import Sampling
public import SharedValues

/// Runs steps on a device: the only place where tokens and blocks meet bytes.
///
/// A step is three calls: the batch is submitted, waited for, and its rows are sampled. A lost device fails its step and is
/// opened again for the next one. The samplers' state of every request survives that.
public struct ModelRunner: ModelExecutor {
    /// Nil while the device is lost.
    private var plan: (any PreparedPlan)?
    private let reopen: (@Sendable () throws -> sending any PreparedPlan)?
    private var builder: BatchBuilder
    private let adapters: AdapterStore
    /// The adapter in each slot of the device.
    private var slotAdapters: [Int: AdapterID] = [:]
    private var sequences: [RequestID: SampledSequence] = [:]
    private var scratch = SamplerScratch()
    private var moveBatchCount = 0

    /// One in sixteen steps with moves waits for them and times them. In the other steps, the device may copy while the
    /// host builds and records the batch.
    private static let timingInterval = 16

    /// A runner of `plan`, whose cache is attached and has these groups. After a device loss, `reopen` prepares the same
    /// plan again, with a cache of the same size; nil: a lost device stays lost. `adapters` has the matrices of those that
    /// steps load.
    public init(
        plan: any PreparedPlan, groups: [CacheGroup], adapters: AdapterStore = AdapterStore(),
        reopen: (@Sendable () throws -> sending any PreparedPlan)? = nil
    ) {
        self.plan = plan
        self.reopen = reopen
        builder = BatchBuilder(groups: groups)
        self.adapters = adapters
    }

    /// Computes one step. Throws what the device throws; then nothing is sampled.
    public mutating func execute(_ output: SchedulerOutput) throws -> ModelRunnerOutput {
        for id in output.finished { sequences[id] = nil }
        for admitted in output.admitted {
            sequences[admitted.id] = SampledSequence(
                prompt: admitted.prompt, scoredTopCount: admitted.sampling.promptLogprobs ?? 0,
                sampler: Sampler(parameters: admitted.sampling, prompt: admitted.prompt))
        }
        guard !output.isEmpty || !output.moves.isEmpty || !output.adapterLoads.isEmpty else {
            return ModelRunnerOutput()
        }
        do {
            let plan = try openPlan()
            try load(output.adapterLoads, on: plan)
            let moveSeconds = try move(output.moves, on: plan)
            guard !output.isEmpty else { return ModelRunnerOutput(moveSeconds: moveSeconds) }
            builder.build(output, of: sequences)
            try plan.submit(builder.batch)
            // The device computes from here to `wait`: work that does not need the logits belongs between the two.
            let rows = try plan.wait()
            var result = try sample(rows, of: plan, output)
            result.moveSeconds = moveSeconds
            result.expertRows = plan.expertRows
            return result
        } catch let error as BackendError {
            // The lost plan frees its memory before the new one allocates.
            if case .deviceLost = error, reopen != nil {
                plan = nil
                // The scheduler loads all adapters again after a failed step.
                slotAdapters.removeAll()
            }
            throw error
        }
    }

    private mutating func load(_ loads: [AdapterLoad], on plan: any PreparedPlan) throws(BackendError) {
        for load in loads where slotAdapters[load.slot] != load.adapter {
            guard let matrices = adapters.matrices(of: load.adapter) else {
                preconditionFailure("\(load.adapter) was removed before its last request")
            }
            // Unknown while it is being replaced, in case the device fails.
            slotAdapters[load.slot] = nil
            try plan.setAdapter(matrices, slot: load.slot)
            slotAdapters[load.slot] = load.adapter
        }
    }

    /// Begins the step's copies. Returns the seconds that they took, where it waited for them.
    private mutating func move(_ moves: [BlockMove], on plan: any PreparedPlan) throws(BackendError) -> Double? {
        guard !moves.isEmpty else { return nil }
        let isTimed = moveBatchCount % Self.timingInterval == 0
        moveBatchCount += 1
        let start = ContinuousClock.now
        try plan.copyBlocks(moves)
        guard isTimed else { return nil }
        try plan.finishCopies()
        return start.duration(to: .now) / .seconds(1)
    }

    private mutating func openPlan() throws -> any PreparedPlan {
        if let plan { return plan }
        guard let reopened = try reopen?() else {
            preconditionFailure("a plan is dropped only where it can be reopened")
        }
        plan = reopened
        return reopened
    }

    /// Samples the rows of a step that the device has computed. They come in the order in which the builder requested
    /// them.
    private mutating func sample(
        _ rows: SampledRows, of plan: any PreparedPlan, _ output: SchedulerOutput
    ) throws(BackendError) -> ModelRunnerOutput {
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
                let choice = try choose(scheduled, rows, row, of: plan)
                if let choice {
                    result.tokens.append(choice.token)
                    if let logprobs = choice.logprobs { result.logprobs.append(logprobs) }
                }
                row += 1
            }
            results.append(result)
        }
        return ModelRunnerOutput(results: results)
    }

    /// The next token of `scheduled` from row `row`: from the device's ranked tokens where they are enough. The sampler
    /// stays in place, because a copy of it would copy its history.
    private mutating func choose(
        _ scheduled: ScheduledRequest, _ rows: SampledRows, _ row: Int, of plan: any PreparedPlan
    ) throws(BackendError) -> (token: Int32, logprobs: TokenLogprobs?)? {
        let (id, outputCount) = (scheduled.id, scheduled.outputCount)
        if let ranked = rows.rankedTokens(of: row) {
            if let choice = sequences[id]?.sampler.sample(ranked, outputCount: outputCount, scratch: &scratch) {
                return choice
            }
            try plan.fetchLogits(of: row)
        }
        return rows.withRow(row) {
            sequences[id]?.sampler.sample($0, outputCount: outputCount, scratch: &scratch)
        }
    }
}
