import ArgumentParser
import Assembly
import Benchmarking
import EngineConfig
import Logging

/// `quire bench kernels CONFIG`: each kernel's time beside what the device could do.
struct BenchKernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels", abstract: "Times every kernel of a model on the device's own clock.",
        discussion: """
            Each kernel runs by itself. Bytes are the minimum that it must move, beside the bandwidth that reading or \
            copying memory reaches on this device (bytes of a copy count twice); of experts, those that the step's rows \
            chose. "moved" is what experts' kernels move in proportion to that, where several rows read one. Operations are floating-point \
            operations, beside the rate that multiplying and adding alone reaches.
            """)
    @Argument(
        help: "A YAML configuration, a .gguf file or a checkpoint's directory; on a Vulkan device.",
        completion: ConfigurationOptions.completion)
    var config: String
    @Option(name: .customLong("set"), help: "Override one key: --set backend.device=1.")
    var overrides: [String] = []
    @Option(
        help: "Sequences that decode one token each; a step for each of several numbers, separated by commas.",
        transform: CommaSeparated.integers)
    var sequences = [1, 8, 32]
    @Option(help: "Length of their contexts, in tokens.")
    var context = 512
    @Option(help: "Tokens of a prompt in one step.")
    var promptTokens = 512
    @Option(help: "How often each step runs; times are medians.")
    var rounds = 5
    @Option(help: "Write every figure to this file, - for standard output.", completion: .file())
    var json: String?

    func validate() throws {
        let counts = [rounds, context, promptTokens] + sequences
        guard !sequences.isEmpty, counts.allSatisfy({ (1...1 << 24).contains($0) }) else {
            throw ValidationError("--rounds, --context, --prompt-tokens and --sequences: expected 1 to \(1 << 24)")
        }
    }

    func run() throws {
        var benchmark = KernelBenchmark()
        benchmark.sequenceCounts = sequences
        benchmark.contextLength = context
        benchmark.chunkTokenCount = promptTokens
        benchmark.repeatCount = rounds
        var configuration = try ConfigurationOptions.load(path: config, overrides: overrides)
        // The plan and its cache are made for exactly these steps.
        let limits = benchmark.limits
        configuration.scheduler.maxNumBatchedTokens = limits.tokenCount
        configuration.scheduler.maxNumSeqs = limits.sequenceCount
        configuration.model.maxModelLen = limits.contextLength
        try exitingWithStatus { try measure(benchmark, configuration) }
    }

    private func measure(_ benchmark: KernelBenchmark, _ configuration: EngineConfiguration) throws {
        let bar = ProgressBar()
        let logger = Logger(measuring: configuration.logging)
        let model = try LoadedModel(
            configuration, blockCount: benchmark.blockCount,
            catalog: try PluginCatalog.commandLine(configuration, logger), logger: logger
        ) { bar.show("loading \(configuration.model.name)", $0) }
        let speed = try model.measureSpeed()
        let report = KernelReport(
            device: model.deviceName, speed: speed,
            steps: try benchmark.run(
                on: model.plan, groups: model.groups, vocabularySize: model.vocabularySize))
        let file = json.map { ResultFile($0) }
        if file?.isStandardOutput != true { Console.write(report.text) }
        try file?.writeJSON(of: report)
    }
}
