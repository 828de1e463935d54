/// How much work a submission has: about a tenth of a second's, because drivers kill submissions that take seconds. The
/// device's speed is measured by the steps.
struct SubmissionPace {
    /// The maximum of floating-point operations in a submission.
    private(set) var work: Int
    private let isFixed: Bool

    /// A tenth of a second of a device that does 200 Gflop/s, as small ones do.
    private static let initial = 20_000_000_000
    /// A device that seems slower than this was busy with something else.
    private static let minimum = 1_000_000_000

    /// `fixed`: this much always; nil: as measured.
    init(fixed: Int?) {
        work = fixed ?? Self.initial
        isFixed = fixed != nil
    }

    /// Takes a step's work and time into account. A step of less work than a submission may have waited for memory rather
    /// than computed, so it can only raise the estimate.
    mutating func learn(work: Int, seconds: Double) {
        guard !isFixed, work > 0, seconds > 0 else { return }
        let estimate = Int(min(Double(work) / seconds / 10, 1e15))
        if work >= self.work || estimate > self.work { self.work = max(estimate, Self.minimum) }
    }
}
