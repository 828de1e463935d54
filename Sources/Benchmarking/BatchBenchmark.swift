public import InferenceEngine
import SharedValues

/// Equal requests submitted together: how fast their prompts are computed, and then how fast they all go on.
public struct BatchBenchmark: Sendable {
    /// Tokens of each prompt.
    public var promptTokenCount = 256
    /// Tokens that each request produces.
    public var outputTokenCount = 64
    /// How many requests at once, one measurement each.
    public var concurrencies = [1, 4, 16]
    /// Requests of one measurement at least: few at once are submitted several times over.
    public var leastRequestCount = 4
    /// Seed of the prompts.
    public var seed: UInt64 = 7

    /// 256 tokens in and 64 out; 1, 4 and 16 at once.
    public init() {}

    /// Warms the engine up and measures. Throws what the engine throws.
    public func run(on engine: AsyncLLMEngine) async throws -> [BatchFigures] {
        let generator = LoadGenerator(engine)
        try await generator.warmUp()
        var figures: [BatchFigures] = []
        for concurrency in concurrencies {
            var waves: [[RequestTimes]] = []
            for wave in 0..<max(1, leastRequestCount.dividedUp(by: concurrency)) {
                var workload = Workload()
                workload.requestCount = concurrency
                workload.promptTokenCount = promptTokenCount...promptTokenCount
                workload.outputTokenCount = outputTokenCount...outputTokenCount
                // Different tokens each time, so that the prefix cache has none of them.
                workload.seed = seed &+ UInt64(concurrency) &* 1000 &+ UInt64(wave)
                let items = workload.items(vocabularySize: engine.limits.vocabularySize)
                waves.append(try await generator.times(of: items, concurrency: concurrency))
            }
            figures.append(BatchFigures(waves: waves, promptTokenCount: promptTokenCount))
        }
        return figures
    }
}

/// What `BatchBenchmark` measured of one concurrency.
public struct BatchFigures: Sendable, Hashable, Codable {
    public let concurrency: Int
    /// Requests in all.
    public let requestCount: Int
    /// Prompt tokens a second, until the last of those at once has its first token.
    public let prefillTokensPerSecond: Double
    /// Output tokens a second after that moment.
    public let decodeTokensPerSecond: Double
    /// From submission to the first token.
    public let secondsToFirstToken: Percentiles
    /// Between a token and the next of the same request.
    public let secondsBetweenTokens: Percentiles

    /// Of requests that were submitted together, wave after wave.
    init(waves: [[RequestTimes]], promptTokenCount: Int) {
        let times = waves.flatMap { $0 }
        var (prefillSeconds, decodeSeconds, decodedCount) = (0.0, 0.0, 0)
        for wave in waves {
            let prefilled = wave.map(\.toFirstToken).max() ?? 0
            prefillSeconds += prefilled
            decodeSeconds += max(0, (wave.map(\.total).max() ?? 0) - prefilled)
            for request in wave {
                var now = request.toFirstToken
                for seconds in request.betweenTokens {
                    now += seconds
                    if now > prefilled { decodedCount += 1 }
                }
            }
        }
        concurrency = waves.first?.count ?? 0
        requestCount = times.count
        prefillTokensPerSecond = prefillSeconds > 0 ? Double(times.count * promptTokenCount) / prefillSeconds : 0
        decodeTokensPerSecond = decodeSeconds > 0 ? Double(decodedCount) / decodeSeconds : 0
        secondsToFirstToken = Percentiles(times.map(\.toFirstToken))
        secondsBetweenTokens = Percentiles(times.flatMap(\.betweenTokens))
    }

    private enum CodingKeys: String, CodingKey {
        case concurrency
        case requestCount = "requests"
        case prefillTokensPerSecond = "prefill_tokens_per_second"
        case decodeTokensPerSecond = "decode_tokens_per_second"
        case secondsToFirstToken = "time_to_first_token_seconds"
        case secondsBetweenTokens = "inter_token_latency_seconds"
    }
}
