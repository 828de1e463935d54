/// Measures configurations part by part, stores the results, and continues an interrupted run.
public struct ComparisonRun {
    /// Measures a part of a configuration, elsewhere. The use of distributions is nil but for `ComparisonPart.text`.
    public typealias Measure = (ComparedConfiguration, ComparisonPart, DistributionUse?) -> PartOutcome

    private let configurations: [ComparedConfiguration]
    private let inputs: ComparisonInputs
    private let settings: ComparisonSettings
    private let circumstances: [String: String]
    private let directory: String
    private let keepsResults: Bool

    /// A comparison of `configurations`, the first of which that can be measured is the reference. Results depend on
    /// `circumstances` too: the program, the machine. `directory` keeps them, after `clean` only if `keepsResults`.
    public init(
        _ configurations: [ComparedConfiguration], _ inputs: ComparisonInputs, _ settings: ComparisonSettings,
        circumstances: [String: String], directory: String, keepsResults: Bool
    ) {
        self.configurations = configurations
        self.inputs = inputs
        self.settings = settings
        self.circumstances = circumstances
        self.directory = directory
        self.keepsResults = keepsResults
    }

    /// Measures what no earlier run has measured. `onMessage` is called with a sentence for each result that is taken from
    /// an earlier run or is measured again, and why. A configuration that fails is not measured any further. Throws `ComparisonError.folder` and `.storage`.
    public func run(onMessage: (String) -> Void, measure: Measure) throws(ComparisonError) -> ComparisonMeasurements {
        let store = try ResultStore(directory: directory)
        var result = ComparisonMeasurements(configurations, inputs, settings)
        try measureTexts(&result, store, onMessage, measure)
        let rounds = (1...max(1, settings.roundCount)).map { ComparisonPart.load(round: $0) }
        for part in [.continuations] + rounds {
            for index in configurations.indices where result.entries[index].failure == nil {
                try take(part, key(part, index), nil, index, &result, store, onMessage, measure)
            }
        }
        store.removeDistributions()
        return result
    }

    /// Removes the stored results once reports of `result` are written, unless they are to be kept or a configuration failed
    /// and may succeed the next time.
    public func clean(after result: ComparisonMeasurements) throws(ComparisonError) {
        guard !keepsResults, result.entries.allSatisfy({ $0.failure == nil }) else { return }
        try ResultStore(directory: directory).removeAll(configurations.map(\.fileName))
    }

    /// The reference first, the others against it.
    private func measureTexts(
        _ result: inout ComparisonMeasurements, _ store: ResultStore, _ onMessage: (String) -> Void, _ measure: Measure
    ) throws(ComparisonError) {
        var identity: String?
        for index in configurations.indices where result.entries[index].failure == nil {
            var key = key(.text, index)
            guard let identity else {
                key["reference"] = "itself"
                let own = Self.digest(key)
                let isNeeded = configurations.indices.contains { other in
                    var expected = self.key(.text, other)
                    expected["reference"] = own
                    return other > index && result.entries[other].failure == nil
                        && store.part(.text, of: configurations[other].fileName)?.key != expected
                }
                let isThere = DistributionFile.isComplete(store.distributionsPath, identity: own)
                try take(
                    .text, key, .write(path: store.distributionsPath, identity: own), index, &result, store, onMessage,
                    measure, obstacle: isNeeded && !isThere ? "its distributions are needed for the others" : nil)
                if result.entries[index].failure == nil {
                    identity = own
                    result.referenceIndex = index
                }
                continue
            }
            key["reference"] = identity
            try take(
                .text, key, .read(path: store.distributionsPath, identity: identity), index, &result, store, onMessage,
                measure)
        }
    }

    /// Puts a part's outcome into `result`: the stored one if nothing that it depends on has changed and there is no
    /// obstacle.
    private func take(
        _ part: ComparisonPart, _ key: [String: String], _ use: DistributionUse?, _ index: Int,
        _ result: inout ComparisonMeasurements, _ store: ResultStore, _ onMessage: (String) -> Void, _ measure: Measure,
        obstacle: String? = nil
    ) throws(ComparisonError) {
        let configuration = configurations[index]
        if let stored = store.part(part, of: configuration.fileName) {
            let changed = Set(stored.key.keys).union(key.keys).filter { stored.key[$0] != key[$0] }.sorted()
            guard !changed.isEmpty || obstacle != nil else {
                onMessage("\(configuration.name): \(part.name): taken from an earlier run")
                result.entries[index].add(stored.outcome)
                return
            }
            let list = changed.joined(separator: ", ") + (changed.count == 1 ? " has changed" : " have changed")
            onMessage("\(configuration.name): \(part.name): measured again: \(changed.isEmpty ? obstacle ?? "" : list)")
        }
        let outcome = measure(configuration, part, use)
        if let failure = outcome.failure {
            onMessage("\(configuration.name): \(part.name): \(failure.reason)")
            result.entries[index].failure = failure
            return
        }
        guard outcome.answers(part) else {
            result.entries[index].failure = .init(reason: "no result of \(part.name)", isUserError: false)
            return
        }
        try store.store(ResultStore.StoredPart(key: key, outcome: outcome), as: part, of: configuration.fileName)
        result.entries[index].add(outcome)
    }

    /// What the outcome of a part depends on.
    private func key(_ part: ComparisonPart, _ index: Int) -> [String: String] {
        var key = circumstances.merging(configurations[index].dependencies) { $1 }
        switch part {
        case .text:
            key["text"] = inputs.textDigest
            key["amount of text"] = settings.textDescription
        case .continuations:
            key["prompts"] = inputs.promptsDigest
            key["length of continuations"] = settings.continuationDescription
        case .load: key["load"] = settings.loadDescription
        }
        return key
    }

    private static func digest(_ key: [String: String]) -> String {
        var digest = Digest()
        for (name, value) in key.sorted(by: { $0.key < $1.key }) {
            digest.update(name)
            digest.update(value)
        }
        return digest.text
    }
}
