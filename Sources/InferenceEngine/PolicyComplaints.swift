import Requests
import Scheduling

/// Reports what a scheduling policy failed to decide: the first failure at once, later ones at most every ten seconds.
struct PolicyComplaints: Sendable {
    private static let intervalSeconds = 10.0

    private let report: @Sendable (String) -> Void
    private var reportedCount = 0
    private var last: EngineInstant?

    init(_ report: @escaping @Sendable (String) -> Void) {
        self.report = report
    }

    /// Takes in the failures so far.
    mutating func hear(_ failures: PolicyFailures, at now: EngineInstant) {
        guard failures.count > reportedCount else { return }
        if let last, now.seconds(since: last) < Self.intervalSeconds { return }
        let parts = PolicyDecision.allCases.filter { failures.count(of: $0) > 0 }.map {
            "\($0.rawValue) \(failures.count(of: $0))"
        }
        report(
            "the scheduling policy failed to decide, so fcfs did; \(failures.count - reportedCount) times by now: "
                + "\(failures.lastMessage ?? "") (since the start: \(parts.joined(separator: ", ")))")
        reportedCount = failures.count
        last = now
    }
}
