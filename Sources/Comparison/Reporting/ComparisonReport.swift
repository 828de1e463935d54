import Benchmarking

/// The figures of a comparison.
public struct ComparisonReport: Sendable, Encodable {
    /// One configuration.
    public struct Configuration: Sendable, Encodable {
        /// What it is called.
        public let name: String
        public let path: String
        /// Why it was not measured, or not to the end.
        public let failure: String?
        /// How well it predicts and continues.
        public let quality: QualityReport?
        /// The prompts after which its text differs from the reference's first.
        public let worstPrompts: [WorstPrompt]
        /// One for each number of requests at once.
        public let speed: [SpeedReport]
        /// The memory that it takes on its device.
        public let memory: MemoryReport?
    }

    /// What everything was measured with.
    public struct Setup: Sendable, Encodable {
        /// Where the text is from.
        public let text: String
        /// Where the prompts are from.
        public let prompts: String
        /// Tokens of a window of the text.
        public let windowTokens: Int
        /// Maximum number of tokens of a continuation.
        public let continuationTokens: Int
        /// Tokens of a request of the load test.
        public let loadPromptTokens, loadOutputTokens: Int
        /// How often the load test was repeated.
        public let rounds: Int
        /// When, as a date of ISO 8601.
        public let date: String
        /// The processor of the machine.
        public let machine: String
    }

    /// What everything was measured with.
    public let setup: Setup
    /// The name of the configuration that the others are compared with; nil where nothing could be measured.
    public let reference: String?
    /// One for each configuration, in order.
    public let configurations: [Configuration]

    /// The figures of `result`, measured on `date` (ISO 8601) with the processor `machine`.
    public init(_ result: ComparisonMeasurements, date: String, machine: String) {
        let settings = result.settings
        setup = Setup(
            text: result.inputs.textName, prompts: result.inputs.promptsName, windowTokens: settings.windowTokenCount,
            continuationTokens: settings.continuationTokenCount, loadPromptTokens: settings.loadPromptTokenCount,
            loadOutputTokens: settings.loadOutputTokenCount, rounds: settings.roundCount, date: date, machine: machine)
        reference = result.reference?.name
        configurations = result.entries.map { entry in
            let quality = QualityReport(entry, reference: result.reference)
            var worst: [WorstPrompt] = []
            if let own = entry.continuations, let reference = result.reference?.continuations,
                quality?.against?.identicalTokens != nil
            {
                worst = WorstPrompt.worst(5, of: own, beside: reference, prompts: result.inputs.prompts)
            }
            let peaks = entry.loads.map { Double($0.memory.peakResident) }
            return Configuration(
                name: entry.name, path: entry.path, failure: entry.failure?.reason, quality: quality,
                worstPrompts: worst, speed: SpeedReport.reports(entry.loads),
                memory: entry.loads.first.map {
                    MemoryReport(
                        $0.memory, peakResident: Int(Percentiles(peaks).median), budget: result.budget ?? 0,
                        requestTokenCount: settings.loadPromptTokenCount + settings.loadOutputTokenCount)
                })
        }
    }
}
