/// What a workload took.
public struct LoadMeasurement: Sendable, Hashable, Codable {
    /// Requests that finished; all of them.
    public let requestCount: Int
    /// Tokens of their prompts.
    public let promptTokenCount: Int
    /// Tokens that they produced.
    public let outputTokenCount: Int
    /// From the first submission to the last token.
    public let seconds: Double
    /// From submission to the first token.
    public let secondsToFirstToken: Percentiles
    /// Between a token and the next of the same request.
    public let secondsBetweenTokens: Percentiles
    /// From submission to the last token.
    public let secondsToLastToken: Percentiles

    /// Tokens produced a second, over all requests.
    public var outputTokensPerSecond: Double { Double(outputTokenCount) / seconds }

    init(times: [RequestTimes], promptTokenCount: Int, seconds: Double) {
        requestCount = times.count
        self.promptTokenCount = promptTokenCount
        outputTokenCount = times.reduce(0) { $0 + $1.outputTokenCount }
        self.seconds = seconds
        secondsToFirstToken = Percentiles(times.map(\.toFirstToken))
        secondsBetweenTokens = Percentiles(times.flatMap(\.betweenTokens))
        secondsToLastToken = Percentiles(times.map(\.total))
    }

    private enum CodingKeys: String, CodingKey {
        case seconds
        case requestCount = "requests"
        case promptTokenCount = "prompt_tokens"
        case outputTokenCount = "output_tokens"
        case secondsToFirstToken = "time_to_first_token_seconds"
        case secondsBetweenTokens = "inter_token_latency_seconds"
        case secondsToLastToken = "e2e_latency_seconds"
    }
}

/// Where the values of a sample lie: exact order statistics (nearest rank), in the unit of the values.
public struct Percentiles: Sendable, Hashable, Codable {
    /// The arithmetic mean.
    public let mean: Double
    /// The 50th percentile.
    public let median: Double
    /// The 90th percentile.
    public let p90: Double
    /// The 99th percentile.
    public let p99: Double

    /// Of `values`; zeros where there are none.
    public init(_ values: [Double]) {
        let sorted = values.sorted()
        func value(_ part: Double) -> Double {
            guard !sorted.isEmpty else { return 0 }
            return sorted[min(sorted.count - 1, max(0, Int((part * Double(sorted.count)).rounded(.up)) - 1))]
        }
        mean = sorted.isEmpty ? 0 : sorted.reduce(0, +) / Double(sorted.count)
        median = value(0.5)
        p90 = value(0.9)
        p99 = value(0.99)
    }
}
