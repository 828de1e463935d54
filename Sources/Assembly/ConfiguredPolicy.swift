public import EngineConfig
import Plugins
public import Scheduling

extension PluginCatalog {
    /// The policy of that name, built in or from a plugin, with the configuration's parameters, victim rule, prompt share and
    /// preemption mode.
    public func policy(
        named name: String, _ configuration: EngineConfiguration
    ) throws -> any SchedulerPolicy {
        let policy = try policies.factory(named: name)(configuration)
        let scheduler = configuration.scheduler
        // Without a mode of the configuration's own, the policy decides, and most leave it to the cost.
        let preemption = scheduler.preemption == .cheaper ? nil : scheduler.preemption
        guard scheduler.victim != nil || scheduler.promptShare != 1 || preemption != nil else { return policy }
        return AdjustedPolicy(
            policy, victims: scheduler.victim, promptShare: scheduler.promptShare, preemption: preemption)
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
