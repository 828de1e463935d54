public import Scheduling

/// The invariants that must hold for any load under any policy, built in or external.
///
/// Every invariant of scheduler and block manager is checked after every step. Every request finishes or is refused with a
/// reason, with the tokens that it has without other requests; no request starves and no block is lost; and the same load
/// gives the same schedule again, so that simulations can be repeated.
///
///     @Test(arguments: PolicyConformance.cases())
///     func conformance(_ trial: PolicyCase) {
///         let result = PolicyConformance { MyPolicy() }.run(trial)
///         #expect(result.hasPassed, "\(result)")
///     }
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
            + (0..<UInt64(randomCount) / 2).map { PolicyCase(.adapters, seed: $0) }
            + (0..<4).map { PolicyCase(.lonelyAdapter, seed: $0) }
    }

    /// Runs one case.
    public func run(_ trial: PolicyCase) -> PolicyResult {
        let failures: [String]
        switch trial.load {
        case .random: failures = repeated { RandomLoad(seed: trial.seed).run(makePolicy()) }
        case .thrash: failures = repeated { ThrashLoad(seed: trial.seed).run(makePolicy()) }
        case .starvation: failures = StarvationLoad(seed: trial.seed).run(makePolicy())
        case .crowd: failures = CrowdLoad(seed: trial.seed).run(makePolicy())
        case .adapters: failures = repeated { AdapterLoads(seed: trial.seed).random(makePolicy()) }
        case .lonelyAdapter: failures = AdapterLoads(seed: trial.seed).lonely(makePolicy())
        }
        return PolicyResult(name: trial.name, failures: failures)
    }

    /// Runs a load twice. Returns its failures, and one more if the two schedules differ.
    private func repeated(_ run: () -> LoadOutcome) -> [String] {
        let (first, second) = (run(), run())
        return first.failures + (first.schedule == second.schedule ? [] : ["the schedule differs when repeated"])
    }
}

/// The outcome of one run of a load.
struct LoadOutcome {
    var failures: [String]
    /// The requests of each step.
    var schedule: [[UInt64]]
}

/// A small world and a load for it, both made from a seed.
public struct PolicyCase: Sendable, CustomStringConvertible {
    enum Load: Sendable {
        /// Requests of every kind come and go at random; some are aborted, some steps fail.
        case random
        /// All come at once into a pool that holds few of them: every request is preempted.
        case thrash
        /// One request that the policy has every reason to pass over, and a stream of others without end.
        case starvation
        /// Ten thousand requests wait, most of which are aborted.
        case crowd
        /// Requests with more adapters than there are slots come and go at random.
        case adapters
        /// One request with an adapter of its own, and a stream of others without end that keeps all slots in use.
        case lonelyAdapter
    }

    /// The load and the seed.
    public let name: String
    let load: Load
    let seed: UInt64

    init(_ load: Load, seed: UInt64) {
        name = "\(load), seed \(seed)"
        self.load = load
        self.seed = seed
    }

    public var description: String { name }
}

/// The result of a case.
public struct PolicyResult: Sendable, CustomStringConvertible {
    public let name: String
    /// Broken invariants, in words.
    public let failures: [String]

    public var hasPassed: Bool { failures.isEmpty }

    public var description: String {
        hasPassed ? "\(name): passed" : "\(name): " + failures.prefix(5).joined(separator: "; ")
    }
}
