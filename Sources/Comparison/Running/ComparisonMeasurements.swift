/// Everything that was measured, as it was measured.
public struct ComparisonMeasurements: Sendable {
    /// One configuration's part of it.
    public struct Entry: Sendable {
        /// What reports call it.
        public let name: String
        public let path: String
        /// Why it was not measured, or not to the end.
        public internal(set) var failure: PartOutcome.Failure?
        var text: TextScores?
        var continuations: [Continuation]?
        var loads: [LoadFigures] = []

        mutating func add(_ outcome: PartOutcome) {
            if let text = outcome.text { self.text = text }
            if let continuations = outcome.continuations { self.continuations = continuations }
            if let load = outcome.load { loads.append(load) }
        }
    }

    /// One for each configuration, in order.
    public internal(set) var entries: [Entry]
    /// What the others' quality is measured against; nil where nothing could be measured.
    public internal(set) var referenceIndex: Int?
    let inputs: ComparisonInputs
    let settings: ComparisonSettings

    init(_ configurations: [ComparedConfiguration], _ inputs: ComparisonInputs, _ settings: ComparisonSettings) {
        entries = configurations.map { Entry(name: $0.name, path: $0.path, failure: $0.failure) }
        self.inputs = inputs
        self.settings = settings
    }

    var reference: Entry? { referenceIndex.map { entries[$0] } }

    /// Bytes for which capacities are computed.
    var budget: Int? {
        settings.budgetByteCount ?? entries.lazy.compactMap(\.loads.first).first?.memory.budget
    }
}
