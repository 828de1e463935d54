import Backends

/// A step of single new tokens as it lies in its command buffer: good for every batch that has as many of everything,
/// since all else is in memory. Recording costs the host more than a small model's kernels cost the device.
struct RecordedStep {
    /// What a recording depends on.
    struct Counts: Hashable {
        private let tokenCount: Int
        private let sampleCount: Int
        private let reducedCount: Int
        private let rowTaskCount: Int
        private let tileTaskCount: Int
        private let reductionCount: Int

        init(_ batch: borrowing ForwardBatch, _ tasks: AttentionTasks, _ samples: SampleRows) {
            tokenCount = batch.tokenCount
            sampleCount = batch.sampleRows.count
            reducedCount = samples.reducedCount
            rowTaskCount = tasks.rowTaskCount
            tileTaskCount = tasks.tileTaskCount
            reductionCount = tasks.reductionCount
        }

        /// Whether no chunk of a prompt is there, which may take long, and no row whose logits are copied.
        fileprivate var isRepeatable: Bool { tileTaskCount == 0 && (reducedCount == sampleCount || reducedCount == 0) }
    }

    let counts: Counts
    /// Dispatches that it has.
    let dispatchCount: Int

    /// What `recorder` recorded; nil where it cannot be submitted again.
    init?(_ counts: Counts, _ recorder: StepRecorder) {
        guard counts.isRepeatable, recorder.isWhole else { return nil }
        self.counts = counts
        dispatchCount = recorder.dispatchCount
    }
}
