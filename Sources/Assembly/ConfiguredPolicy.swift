public import EngineConfig
import Plugins
public import Scheduling

extension PluginCatalog {
    /// The policy of that name, built in or of a plugin, with the configuration's parameters, its victim rule and its share for prompts.
    public func policy(
        named name: String, _ configuration: EngineConfiguration
    ) throws -> any SchedulerPolicy {
        let policy = try policies.factory(named: name)(configuration)
        let scheduler = configuration.scheduler
        let isOwn = scheduler.victim == nil && scheduler.promptShare == 1 && scheduler.preemption == .auto
        guard !isOwn else { return policy }
        return AdjustedPolicy(
            policy, victims: scheduler.victim.map { VictimRule($0) }, promptShare: scheduler.promptShare,
            preemption: PreemptionMode(scheduler.preemption))
    }
}

extension VictimRule {
    init(_ choice: SchedulerSection.VictimChoice) {
        switch choice {
        case .lastArrived: self = .lastArrived
        case .lowestPriority: self = .lowestPriority
        case .leastComputed: self = .leastComputed
        case .mostBlocks: self = .mostBlocks
        }
    }
}

extension PreemptionMode {
    /// What the configuration prescribes; nil leaves it to the policy, and the policy, mostly, to the cost.
    init?(_ choice: SchedulerSection.PreemptionChoice) {
        switch choice {
        case .auto: return nil
        case .recompute: self = .recompute
        case .swap: self = .swap
        }
    }
}

extension MultiLevelFeedback {
    init(_ options: PolicyOptionsSection) {
        self.init(
            levelCount: options.levels, quantumTokens: options.quantumTokens, ageingSeconds: options.ageingSeconds)
    }
}

extension FairShare {
    init(_ options: PolicyOptionsSection) {
        self.init(weights: options.weights, promptCost: options.promptCost, outputCost: options.outputCost)
    }
}

extension EarliestDeadlineFirst {
    init(_ options: PolicyOptionsSection) {
        self.init(
            target: options.target == .finish ? .finish : .firstToken,
            defaultSeconds: Double(options.defaultDeadlineMs) / 1000)
    }
}
