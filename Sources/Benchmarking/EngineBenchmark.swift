public import InferenceEngine
public import Requests

/// The figures that compare engines: prefill and decode of one stream, then load tests of growing concurrency.
public struct EngineBenchmark: Sendable {
    /// Prompt and output tokens of the single stream. Where the engine's `maxModelLength` is less than both together, the
    /// output is a fifth of it and the prompt the rest.
    public var singlePromptTokenCount = 256, singleOutputTokenCount = 64
    /// The load; its `concurrency` is replaced by each of `concurrencies`.
    public var workload = Workload()
    /// How many requests at once, one load each.
    public var concurrencies = [4, 16]
    /// Adapters that are on the device before the measurement begins, whether requests have them or not.
    public var residentAdapters: [AdapterID] = []

    /// One stream of 256 and 64 tokens, then 4 and 16 requests at once.
    public init() {}

    /// Warms the engine up and measures. Throws what the engine throws.
    public func run(on engine: AsyncLLMEngine) async throws -> EngineFigures {
        let generator = LoadGenerator(engine)
        try await generator.warmUp(residentAdapters)
        let outputTokenCount = max(1, min(singleOutputTokenCount, engine.limits.maxModelLength / 5))
        let promptTokenCount = min(singlePromptTokenCount, engine.limits.maxModelLength - outputTokenCount)
        var single = Workload()
        single.requestCount = 1
        single.concurrency = 1
        single.adapters = workload.adapters
        single.promptTokenCount = promptTokenCount...promptTokenCount
        single.outputTokenCount = outputTokenCount...outputTokenCount
        // Tokens that differ from the warm-up's, so that the prefix cache has none of them.
        single.seed = workload.seed &+ 1
        let alone = try await generator.run(single)
        var loads: [EngineFigures.Load] = []
        for (index, concurrency) in concurrencies.enumerated() {
            var workload = workload
            workload.concurrency = concurrency
            workload.requestCount = max(workload.requestCount, concurrency)
            workload.seed = workload.seed &+ UInt64(index) &+ 2
            loads.append(.init(concurrency: concurrency, measurement: try await generator.run(workload)))
        }
        return EngineFigures(
            prefillTokensPerSecond: Double(promptTokenCount) / alone.secondsToFirstToken.mean,
            decodeTokensPerSecond: alone.secondsBetweenTokens.mean > 0 ? 1 / alone.secondsBetweenTokens.mean : 0,
            loads: loads)
    }
}

/// What `EngineBenchmark` measured.
public struct EngineFigures: Sendable, Hashable, Codable {
    /// A load and what it took.
    public struct Load: Sendable, Hashable, Codable {
        public let concurrency: Int
        /// What they took.
        public let measurement: LoadMeasurement
    }

    /// Prompt tokens a second of one request alone.
    public let prefillTokensPerSecond: Double
    /// Output tokens a second of one request alone, after its first.
    public let decodeTokensPerSecond: Double
    /// One entry for each concurrency.
    public let loads: [Load]

    private enum CodingKeys: String, CodingKey {
        case loads
        case prefillTokensPerSecond = "prefill_tokens_per_second"
        case decodeTokensPerSecond = "decode_tokens_per_second"
    }
}
