public import Scheduling

/// What must hold of any load under any policy, ours or a stranger's.
///
/// After every step every invariant of scheduler and block manager is checked. Every request finishes or is refused
/// with a reason; those that finish have the tokens that they have alone; nobody starves and no block is lost; and
/// the same load gives the same schedule again, so that simulations can be repeated.
///
/// A test is one line: `@Test(arguments: PolicyConformance.cases())`.
public struct PolicyConformance: Sendable {
    private let makePolicy: @Sendable () -> any SchedulerPolicy

    /// A suite for the policy that `makePolicy` makes; each world gets a new one.
    public init(_ makePolicy: @escaping @Sendable () -> any SchedulerPolicy) {
        self.makePolicy = makePolicy
    }

    /// Every case; `randomCount` of them are random worlds.
    public static func cases(randomCount: Int = 40) -> [PolicyCase] {
        (0..<UInt64(randomCount)).map { PolicyCase(.random, seed: $0) }
            + (0..<UInt64(randomCount) / 4).map { PolicyCase(.thrash, seed: $0) }
            + (0..<4).map { PolicyCase(.starvation, seed: $0) } + [PolicyCase(.crowd, seed: 0)]
    }

    /// Runs one case.
    public func run(_ trial: PolicyCase) -> PolicyResult {
        let failures: [String]
        switch trial.load {
        case .random: failures = repeated { RandomLoad(seed: trial.seed).run(makePolicy()) }
        case .thrash: failures = repeated { ThrashLoad(seed: trial.seed).run(makePolicy()) }
        case .starvation: failures = StarvationLoad(seed: trial.seed).run(makePolicy())
        case .crowd: failures = CrowdLoad(seed: trial.seed).run(makePolicy())
        }
        return PolicyResult(name: trial.name, failures: failures)
    }

    /// Runs a load twice: what was wrong, and whether the two schedules differ.
    private func repeated(_ run: () -> LoadOutcome) -> [String] {
        let (first, second) = (run(), run())
        return first.failures + (first.schedule == second.schedule ? [] : ["the schedule differs when repeated"])
    }
}

/// What a load left behind.
struct LoadOutcome {
    var failures: [String]
    /// Who was computed, step by step.
    var schedule: [[UInt64]]
}
