import ArgumentParser
import Assembly
import Benchmarking
import EngineConfig
import InferenceEngine

/// `quire bench …`: what is measured.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures engines, the steps they take, or the kernels of a device.",
        subcommands: [
            BenchEnginesCommand.self, BenchKernelsCommand.self, BenchStepsCommand.self, BenchTraceCommand.self,
        ],
        defaultSubcommand: BenchEnginesCommand.self)
}

/// `quire bench CONFIG …`: throughput, latency and memory, of several configurations side by side.
struct BenchEnginesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engines", abstract: "Measures throughput, latency and memory (the default).",
        discussion: """
            Prompts are random, sampling is greedy and end tokens are ignored, so every engine does the same work. \
            Several configurations take turns, --rounds times, so that other load on the machine affects all of them; \
            the table shows the median of each figure.
            """)
    @Argument(
        help: "YAML configurations, .gguf files, checkpoints' directories or pulled models' names.",
        completion: ConfigurationOptions.completion)
    var configs: [String]
    @Option(name: .customLong("set"), help: "Override one key in all of them: --set cache.block_size=32.")
    var overrides: [String] = []
    @Option(help: "Requests of each load test.")
    var requests = 16
    @Option(help: "Concurrent requests; a load test for each of several numbers.", transform: CommaSeparated.integers)
    var concurrency = [4, 16]
    @Option(help: "Tokens of a prompt, such as 16-256.", transform: Self.range)
    var promptTokens = 16...256
    @Option(help: "Output tokens of a request, such as 64-128.", transform: Self.range)
    var outputTokens = 64...128
    @Option(help: "How often each configuration is measured.")
    var rounds = 1
    @Option(help: "Seed of prompts and lengths.")
    var seed: UInt64 = 7
    @Flag(
        help: """
            Give each request the next of the configuration's adapters (lora.adapters), where it has some. Without \
            this, requests have none, or that of lora.use.
            """)
    var adapters = false
    @Option(help: "Write every figure to this file, - for standard output.", completion: .file())
    var json: String?

    func validate() throws {
        guard requests > 0, rounds > 0, !concurrency.isEmpty, concurrency.allSatisfy({ $0 > 0 }) else {
            throw ValidationError("--requests, --rounds and --concurrency: expected 1 or more")
        }
    }

    func run() async throws {
        let configurations = try configs.map { path in
            try ConfigurationOptions.load(path: path, overrides: overrides)
        }
        try await exitingWithStatus {
            var report = BenchReport(configs: configs)
            for round in 0..<rounds {
                for (index, configuration) in configurations.enumerated() {
                    Console.error("round \(round + 1) of \(rounds): \(configs[index])")
                    let (figures, memory) = try await measure(configuration)
                    report.append(figures, memory, to: index)
                }
            }
            let file = json.map { ResultFile($0) }
            if file?.isStandardOutput != true { Console.write(report.table) }
            try file?.writeJSON(of: report)
        }
    }

    private func measure(_ configuration: EngineConfiguration) async throws -> (EngineFigures, DeviceMemory) {
        let bar = ProgressBar()
        let model = try ServedModel(measuring: configuration, bar)
        defer { model.engine.stop() }
        var benchmark = EngineBenchmark()
        benchmark.concurrencies = concurrency
        benchmark.workload.requestCount = requests
        benchmark.workload.promptTokenCount = promptTokens
        benchmark.workload.outputTokenCount = outputTokens
        benchmark.workload.seed = seed
        benchmark.residentAdapters = model.adapters?.list.map(\.id) ?? []
        if adapters { benchmark.workload.adapters = benchmark.residentAdapters }
        return (try await benchmark.run(on: model.engine), model.memory)
    }

    private static func range(_ text: String) throws -> ClosedRange<Int> {
        let bounds = text.split(separator: "-").map { Int($0) }
        guard let first = bounds.first, let low = first, let last = bounds.last, let high = last, bounds.count <= 2,
            1 <= low, low <= high
        else { throw ValidationError("expected a number or a range such as 16-256, found \(text)") }
        return low...high
    }
}
