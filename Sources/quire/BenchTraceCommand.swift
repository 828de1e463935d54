import ArgumentParser
import Assembly
import Benchmarking
import EngineConfig
import InferenceEngine
import Reports
import Scheduling
import Simulation

/// `quire bench trace CONFIG`: a trace on the real engine, beside its simulation.
struct BenchTraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Replays a trace on the real engine and in simulation, and compares.",
        discussion: """
            Requests arrive at the times of the trace, with random tokens as prompts, and every answer has the length \
            that the trace gives. The simulation has the same scheduler, the same number of blocks, and a step cost: \
            that of --step-cost, or one that is measured first. Nothing else should run meanwhile.
            """)
    /// Maximum number of requests of a replay, as each has a task of its own.
    private static let maxRequestCount = 10_000

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var source: TraceSource
    @Option(help: "A step cost that quire bench steps --json wrote.", completion: .file(extensions: ["json"]))
    var stepCost: String?
    @Option(help: "Write every figure to this file, - for standard output.", completion: .file())
    var json: String?

    func run() async throws {
        let configuration = try options.load()
        try await exitingWithStatus {
            let requests = try source.requests(limit: Self.maxRequestCount)
            let cost =
                try stepCost.map { try StepCost(path: $0) }
                ?? StepCostReport(measuring: configuration, rounds: 5).cost
            let (measured, setup) = try await replay(requests, configuration)
            let policy = try PluginCatalog.builtin(and: configuration).policy(
                named: configuration.scheduler.policy, configuration)
            var simulated = setup
            simulated.cost = cost
            simulated.areOutputsLimited = true
            let predicted = try source.run(
                Simulation(simulated, policy: policy, named: configuration.scheduler.policy)
            ) { _ in }
            let report = TraceReport(
                trace: source.description, measured: measured, prediction: TracePrediction(measured, predicted))
            let file = json.map { ResultFile($0) }
            if file?.isStandardOutput != true { Console.write(report.text) }
            try file?.writeJSON(of: report)
        }
    }

    /// Replays `requests` on the engine that `configuration` describes; returns the figures, and a simulation's setup with
    /// that engine's sizes.
    private func replay(
        _ requests: [TraceRequest], _ configuration: EngineConfiguration
    ) async throws -> (ReplayFigures, SimulationSetup) {
        let bar = ProgressBar()
        let model = try ServedModel(measuring: configuration, bar)
        defer { model.engine.stop() }
        let replay = TraceReplay(model.engine)
        let statistics = try await replay.warmUp()
        var known = configuration
        known.cache.numBlocks = statistics.blockCount
        known.cache.swapSpace = 0
        known.cache.numSwapBlocks = statistics.swapBlockCount
        known.model.maxModelLen = model.engine.limits.maxModelLength
        let figures = try await replay.run(requests) { bar.show("requests", Double($0) / Double(requests.count)) }
        return (figures, try SimulationSetup(known, groups: model.memory.groups))
    }
}

/// A trace's measured figures beside the predicted ones.
struct TraceReport: Encodable {
    let trace: String
    let measured: ReplayFigures
    let prediction: TracePrediction

    /// One line a figure.
    var text: String {
        func percent(_ share: Double) -> String { Numeral.fixed(share * 100, places: 1) + "%" }
        func number(_ value: Double, _ unit: TracePrediction.Unit) -> String {
            switch unit {
            case .seconds: "\(Numeral.short(value)) s"
            case .share: percent(value)
            case .count: Numeral.short(value)
            }
        }
        let rows = prediction.figures.map { figure in
            [
                figure.name, number(figure.measured, figure.unit), number(figure.predicted, figure.unit),
                figure.error.map { ($0 >= 0 ? "+" : "") + percent($0) } ?? "-",
            ]
        }
        return "\(measured.requestCount) requests in \(Numeral.fixed(measured.seconds, places: 1)) s, at most "
            + "\(measured.maxRunning) at once, \(Numeral.fixed(measured.meanRunning, places: 1)) on average\n\n"
            + TextTable([["", "measured", "predicted", "error"]] + rows).text
    }
}
