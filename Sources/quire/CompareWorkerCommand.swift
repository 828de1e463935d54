import ArgumentParser
import Assembly
import CLibrary
import ChatTemplates
import Comparison
import Dispatch
import EngineConfig
import Execution
import FoundationEssentials
import InferenceEngine
import Logging
import Plugins
import Tokenization

/// One part of a comparison, in a process that does nothing else. `quire compare` starts it.
struct CompareWorkerCommand: AsyncParsableCommand {
    static let name = "compare-worker"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)
    @Argument var job: String
    @Argument var result: String

    func run() async throws {
        Self.endWithParent()
        try await exitingWithStatus {
            let job = try JSONDecoder().decode(CompareJob.self, from: try Data(contentsOf: URL(filePath: job)))
            var outcome: PartOutcome
            do { outcome = try await measure(job) } catch {
                outcome = PartOutcome(failure: .init(reason: "\(error)", isUserError: isUserError(error)))
            }
            try JSONEncoder().encode(outcome).write(to: URL(filePath: result), options: .atomic)
        }
    }

    private func measure(_ job: CompareJob) async throws -> PartOutcome {
        let configuration = try ConfigurationOptions.configuration(path: job.config, overrides: job.overrides)
        let bar = ProgressBar()
        var outcome = PartOutcome()
        if case .text = job.part {
            let logger = Logger(measuring: configuration.logging)
            let model = try LoadedModel(
                configuration, sequenceLength: job.settings.windowTokenCount,
                catalog: try PluginCatalog.commandLine(configuration, logger), logger: logger
            ) { bar.show("loading \(configuration.model.name)", $0) }
            var scorer = try model.scorer()
            let measurement = TextMeasurement(job.inputs, job.settings, distributions: job.distributions)
            outcome.text = try measurement.run(
                try model.tokenizer(), vocabularySize: model.vocabularySize, maxTokenCount: scorer.maxTokenCount,
                progress: { bar.show("text", $0) },
                score: { try scorer.score($0, $1) })
            return outcome
        }
        let model = try ServedModel(measuring: configuration, bar)
        defer { model.engine.stop() }
        if case .continuations = job.part {
            let measurement = ContinuationMeasurement(
                model.engine, tokenizer: model.tokenizer, template: model.chatTemplates?.default,
                specialTokens: model.specialTokens, endTokenIDs: model.endTokenIDs)
            outcome.continuations = try await measurement.run(job.inputs, job.settings)
        } else {
            let batches = try await LoadTest.run(job.settings, on: model.engine)
            outcome.load = LoadFigures(batches: batches, memory: MemoryFigures(model.memory))
        }
        return outcome
    }

    /// The parent never writes to the pipe that is standard input, so it ends when the parent ends, however that happens.
    private static func endWithParent() {
        DispatchQueue(label: "quire.parent").async {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { _exit(70) }
            }
        }
    }
}

extension MemoryFigures {
    fileprivate init(_ memory: DeviceMemory) {
        self.init()
        deviceName = memory.deviceName
        budget = memory.budgetByteCount
        weights = memory.weightsByteCount
        scratch = memory.scratchByteCount
        cache = memory.cacheByteCount
        block = memory.blockByteCount
        groups = memory.groups
        alignment = memory.alignmentByteCount
        addressableBlockCount = memory.addressableBlockCount
        peakResident = LoadTest.peakResidentByteCount()
    }
}
