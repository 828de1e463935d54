extension PolicyOptionsSection {
    /// Which of Quire's policies read which key.
    static let readers: [String: [String]] = [
        "ageing_seconds": ["priority", "sjf", "mlfq"], "weights": ["fair"], "prompt_cost": ["fair"],
        "output_cost": ["fair"], "levels": ["mlfq"], "quantum_tokens": ["mlfq"], "target": ["deadline"],
        "default_deadline_ms": ["deadline"], "window": ["prefix"],
    ]

    /// Quire's policies that read no key.
    static let policiesWithoutOptions = ["fcfs"]
}

extension EngineConfiguration {
    /// Parameters that differ from their defaults and that none of `policies` reads, each where it was given: to be
    /// warned of. No errors, as changing `scheduler.policy` alone must do. Where another's policy is among them there
    /// are none: it may read what it likes.
    public func unreadPolicyOptions(by policies: [String]) -> [ConfigurationIssue] {
        let known = Set(PolicyOptionsSection.readers.values.joined()).union(PolicyOptionsSection.policiesWithoutOptions)
        guard known.isSuperset(of: policies) else { return [] }
        let defaults = PolicyOptionsSection()
        return PolicyOptionsSection.keys.flatMap { key -> [ConfigurationIssue] in
            let readers = PolicyOptionsSection.readers[key.name] ?? []
            guard key.render(policyOptions) != key.render(defaults), readers.allSatisfy({ !policies.contains($0) })
            else { return [] }
            let message = "not read by \(policies.joined(separator: ", ")), only by \(readers.joined(separator: ", "))"
            return error(at: "\(PolicyOptionsSection.name).\(key.name)", message: message).issues
        }
    }
}
