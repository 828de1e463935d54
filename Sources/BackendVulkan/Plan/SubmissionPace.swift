/// How much is submitted at once: about what a device does in a tenth of a second, as its driver may end what takes seconds.
/// How fast a device is, no driver says; steps show it.
struct SubmissionPace {
    /// Floating-point operations of a submission at most.
    private(set) var work: Int
    private let isFixed: Bool

    /// A tenth of a second of a device that does 200 Gflop/s, as small ones do.
    private static let first = 20_000_000_000
    /// A device that seems slower than this has been busy with something else.
    private static let least = 1_000_000_000

    /// `fixed`: always as much; nil: as steps show.
    init(fixed: Int?) {
        work = fixed ?? Self.first
        isFixed = fixed != nil
    }

    /// Hears what a step took. One of less work than a submission may have waited for memory rather than computed, and only
    /// shows what the device does at least.
    mutating func learn(work: Int, seconds: Double) {
        guard !isFixed, work > 0, seconds > 0 else { return }
        let shown = Int(min(Double(work) / seconds / 10, 1e15))
        if work >= self.work || shown > self.work { self.work = max(shown, Self.least) }
    }
}
