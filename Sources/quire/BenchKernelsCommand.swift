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
            Each kernel runs by itself. Bytes are those that it must move at the least, beside what reading or copying \
            memory reaches on this device (bytes of a copy counted twice); operations are floating-point ones, beside \
            what multiplying and adding alone reaches.
            """)
    @Argument(
        help: "The YAML configuration, with backend.name vulkan.", completion: .file(extensions: ["yaml", "yml"]))
    var config: String
    @Option(name: .customLong("set"), help: "Override one key: --set backend.device=1.")
    var overrides: [String] = []
    @Option(
        help: "Sequences that get one new token each; several numbers, separated by commas, are a step each.",
        transform: CommaSeparated.integers)
    var sequences = [1, 8, 32]
    @Option(help: "Positions of their contexts.")
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
        configuration.cache.numBlocks = benchmark.blockCount(blockSize: configuration.cache.blockSize)
        try exitingWithStatus { try measure(benchmark, configuration) }
    }

    private func measure(_ benchmark: KernelBenchmark, _ configuration: EngineConfiguration) throws {
        let bar = ProgressBar()
        let logger = Logger(measuring: configuration.logging)
        let model = try TimedModel(
            configuration, catalog: try PluginCatalog.commandLine(configuration, logger), logger: logger
        ) { bar.show("loading \(configuration.model.name)", $0) }
        let report = KernelReport(
            device: model.deviceName, speed: model.speed,
            steps: try benchmark.run(
                on: model.plan, blockSize: model.blockSize, vocabularySize: model.vocabularySize))
        let file = json.map { ResultFile($0) }
        if file?.isStandardOutput != true { Console.write(report.text) }
        try file?.writeJSON(of: report)
    }
}
