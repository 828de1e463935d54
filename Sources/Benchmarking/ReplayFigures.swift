import Scheduling

/// A real engine's figures on a trace.
public struct ReplayFigures: Sendable, Hashable, Codable {
    /// From the trace's begin to the last token.
    public let seconds: Double
    /// Requests that were served; all of them.
    public let requestCount: Int
    /// Tokens that they produced.
    public let outputTokenCount: Int
    /// From the moment a request was due to its first token.
    public let secondsToFirstToken: Percentiles
    /// Between a token and the next of the same request.
    public let secondsBetweenTokens: Percentiles
    /// From the moment a request was due to its last token.
    public let secondsToLastToken: Percentiles
    /// Number of preemptions, and of tokens that were computed again after them.
    public let preemptionCount, recomputedTokenCount: Int
    /// Fraction of the blocks in use while the engine was busy: mean and maximum.
    public let meanCacheUse, maxCacheUse: Double
    /// Mean number of running requests while the engine was busy.
    public let meanRunning: Double
    /// Maximum number of running requests.
    public let maxRunning: Int

    init(
        _ times: [RequestTimes], seconds: Double, from before: SchedulerStatistics, to after: SchedulerStatistics,
        watched: WatchedCounts
    ) {
        self.seconds = seconds
        requestCount = times.count
        outputTokenCount = times.reduce(0) { $0 + $1.outputTokenCount }
        secondsToFirstToken = Percentiles(times.map(\.toFirstToken))
        secondsBetweenTokens = Percentiles(times.flatMap(\.betweenTokens))
        secondsToLastToken = Percentiles(times.map(\.total))
        preemptionCount = after.preemptionCount - before.preemptionCount
        recomputedTokenCount = after.recomputedTokenCount - before.recomputedTokenCount
        meanCacheUse = watched.meanCacheUse
        maxCacheUse = watched.maxCacheUse
        meanRunning = watched.meanRunning
        maxRunning = watched.maxRunning
    }

    /// Tokens produced a second.
    public var outputTokensPerSecond: Double { seconds > 0 ? Double(outputTokenCount) / seconds : 0 }

    private enum CodingKeys: String, CodingKey {
        case seconds
        case requestCount = "requests"
        case outputTokenCount = "output_tokens"
        case secondsToFirstToken = "time_to_first_token_seconds"
        case secondsBetweenTokens = "inter_token_latency_seconds"
        case secondsToLastToken = "e2e_latency_seconds"
        case preemptionCount = "preemptions"
        case recomputedTokenCount = "recomputed_tokens"
        case meanCacheUse = "mean_cache_use"
        case maxCacheUse = "max_cache_use"
        case meanRunning = "mean_running"
        case maxRunning = "max_running"
    }
}
