import ArgumentParser
import Assembly
import Benchmarking
import EngineConfig
import Logging
import Simulation

/// `quire bench steps CONFIG`: what a step costs on this machine, for `quire simulate`.
struct BenchStepsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "steps", abstract: "Measures what a step of the engine costs, for quire simulate.",
        discussion: """
            Times a small grid of steps (decoding some sequences, chunks of prompts, both together, copies to the swap \
            space) and fits a step cost to them. Nothing else should run meanwhile. quire simulate --step-cost reads \
            the file of --json.
            """)
    @Argument(help: ConfigurationOptions.help, completion: ConfigurationOptions.completion)
    var config: String
    @Option(name: .customLong("set"), help: "Override one key: --set backend.device=1.")
    var overrides: [String] = []
    @Option(help: "How often each step runs; times are medians.")
    var rounds = 5
    @Option(
        help: "Write the cost and every measured step to this file, - for standard output.",
        completion: .file())
    var json: String?

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds: expected 1 or more") }
    }

    func run() throws {
        let configuration = try ConfigurationOptions.load(path: config, overrides: overrides)
        try exitingWithStatus { try measure(configuration) }
    }

    private func measure(_ configuration: EngineConfiguration) throws {
        let report = try StepCostReport(measuring: configuration, rounds: rounds)
        let file = json.map { ResultFile($0) }
        if file?.isStandardOutput != true { Console.write(report.text) }
        try file?.writeJSON(of: report)
    }
}

extension StepCostReport {
    /// Measures steps of the model that `configuration` names.
    init(measuring configuration: EngineConfiguration, rounds: Int) throws {
        let bar = ProgressBar()
        let logger = Logger(measuring: configuration.logging)
        let model = try LoadedModel(
            configuration, catalog: try PluginCatalog.commandLine(configuration, logger), logger: logger
        ) { bar.show("loading \(configuration.model.name)", $0) }
        var runner = model.runner()
        var benchmark = StepBenchmark()
        benchmark.roundCount = rounds
        let samples = try benchmark.run(
            on: &runner, StepBenchmark.Bounds(model, configuration.scheduler)
        ) { bar.show("timing steps", $0) }
        self.init(
            device: model.deviceName, config: configuration.file, blockSize: model.blockSize, samples: samples)
    }
}

extension StepBenchmark.Bounds {
    /// What `model` and the scheduler's limits allow.
    init(_ model: LoadedModel, _ scheduler: SchedulerSection) {
        self.init(
            maxTokenCount: scheduler.maxNumBatchedTokens, maxSequenceCount: scheduler.maxNumSeqs,
            maxContextLength: model.maxModelLength, blockCount: model.blockCount, groups: model.groups,
            swapBlockCount: model.swapBlockCount, vocabularySize: model.vocabularySize)
    }
}
