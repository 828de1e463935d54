import Backends

/// The recording of a step of single new tokens. It can be submitted again for every batch with the same counts, because
/// everything else of a batch is in memory. Recording costs the host more than a small model's kernels cost the device.
struct RecordedStep {
    /// The counts of a batch that a recording depends on.
    struct Counts: Hashable {
        private let tokenCount: Int
        private let sampleCount: Int
        private let reducedCount: Int
        /// Of each cache group.
        private let tasks: [AttentionTasks.Counts]
        private let adapters: AdapterTiles.Counts?

        init(
            _ batch: borrowing ForwardBatch, _ tasks: [AttentionTasks], _ samples: SampleRows, _ adapters: AdapterTiles?
        ) {
            tokenCount = batch.tokenCount
            sampleCount = batch.sampleRows.count
            reducedCount = samples.reducedCount
            self.tasks = tasks.map(\.counts)
            self.adapters = adapters?.counts
        }

        /// Whether the step has no chunk of a prompt, which may be split, and no row whose logits are copied.
        fileprivate var isRepeatable: Bool {
            tasks.allSatisfy { $0.tileTaskCount == 0 } && (reducedCount == sampleCount || reducedCount == 0)
        }
    }

    let counts: Counts
    let dispatchCount: Int

    /// What `recorder` recorded; nil where it cannot be submitted again.
    init?(_ counts: Counts, _ recorder: StepRecorder) {
        guard counts.isRepeatable, recorder.isWhole else { return nil }
        self.counts = counts
        dispatchCount = recorder.dispatchCount
    }
}
