import KVCaching
public import Requests
public import SharedValues
public import Simulation

/// Steps of all kinds, run alone and timed: what a step cost is fitted to.
///
/// A small grid: new tokens of several sequences at several contexts, chunks of a prompt after none or some of it,
/// several prompts at once, both mixed, and copies to the swap space and back. They take turns, round after round, so
/// that a busy machine treats them alike.
public struct StepBenchmark: Sendable {
    /// The engine that is measured: what a step may have, and the blocks for it.
    public struct Bounds: Sendable {
        /// Maximum number of tokens of a step, of sequences of a step, and of tokens of a sequence.
        public var maxTokenCount, maxSequenceCount, maxContextLength: Int
        /// Blocks of the cache, and of the swap space.
        public var blockCount, swapBlockCount: Int
        /// The cache groups.
        public var groups: [CacheGroup]
        /// Tokens are below this.
        public var vocabularySize: Int

        public init(
            maxTokenCount: Int, maxSequenceCount: Int, maxContextLength: Int, blockCount: Int,
            groups: [CacheGroup], swapBlockCount: Int, vocabularySize: Int
        ) {
            self.maxTokenCount = maxTokenCount
            self.maxSequenceCount = maxSequenceCount
            self.maxContextLength = maxContextLength
            self.blockCount = blockCount
            self.groups = groups
            self.swapBlockCount = swapBlockCount
            self.vocabularySize = vocabularySize
        }
    }

    /// How often each step runs; what counts is the median.
    public var roundCount = 5

    public init() {}

    /// Runs the grid's steps that fit into `bounds`; `progress` is called with the fraction done, 0 to 1. Throws what the executor
    /// throws. Precondition: nothing else uses the executor meanwhile.
    public func run(
        on executor: inout some ModelExecutor, _ bounds: Bounds, progress: (Double) -> Void = { _ in }
    ) throws -> [StepSample] {
        let steps = StepGrid(bounds).steps
        var seconds = [[Double]](repeating: [], count: steps.count)
        var sequences = SequenceNumbers()
        // The first round warms up: pages are touched, clocks rise.
        for round in 0...max(1, roundCount) {
            for (index, step) in steps.enumerated() {
                let output = step.output(bounds, &sequences)
                let start = ContinuousClock.now
                _ = try executor.execute(output)
                let taken = start.duration(to: .now) / .seconds(1)
                if round > 0 { seconds[index].append(taken) }
                progress(Double(round * steps.count + index + 1) / Double((max(1, roundCount) + 1) * steps.count))
            }
        }
        _ = try executor.execute(sequences.end())
        return zip(steps, seconds).map { step, seconds in
            var unnamed = SequenceNumbers()
            return StepSample(
                features: StepFeatures(step.output(bounds, &unnamed)), seconds: Percentiles(seconds).median)
        }
    }
}

/// Names for the sequences of steps; those of a step are over when the next one begins.
struct SequenceNumbers {
    private var last: UInt64 = 0
    private var ended: [RequestID] = []

    /// The next name.
    mutating func next() -> RequestID {
        last += 1
        ended.append(RequestID(last))
        return RequestID(last)
    }

    /// A step that only ends sequences.
    mutating func end() -> SchedulerOutput {
        var output = SchedulerOutput()
        swap(&output.finished, &ended)
        return output
    }
}
