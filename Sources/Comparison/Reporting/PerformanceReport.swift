import Benchmarking

/// One number of requests at once; medians over the rounds.
public struct SpeedReport: Sendable, Hashable, Encodable {
    public let concurrency: Int
    /// Prompt tokens a second, until the last of them has its first token.
    public let prefillTokensPerSecond: Double
    /// Output tokens a second after that.
    public let decodeTokensPerSecond: Double
    /// From submission to the first token, the median and the 99th percentile of the requests.
    public let timeToFirstTokenMedian, timeToFirstTokenP99: Double
    /// Between a token and the next of the same request, likewise.
    public let interTokenLatencyMedian, interTokenLatencyP99: Double

    /// One for each number of requests at once.
    static func reports(_ loads: [LoadFigures]) -> [SpeedReport] {
        (loads.first?.batches ?? []).indices.compactMap { index in
            let rounds = loads.compactMap { $0.batches.indices.contains(index) ? $0.batches[index] : nil }
            guard let concurrency = rounds.first?.concurrency else { return nil }
            func median(_ value: (BatchFigures) -> Double) -> Double { Percentiles(rounds.map(value)).median }
            return SpeedReport(
                concurrency: concurrency, prefillTokensPerSecond: median { $0.prefillTokensPerSecond },
                decodeTokensPerSecond: median { $0.decodeTokensPerSecond },
                timeToFirstTokenMedian: median { $0.secondsToFirstToken.median },
                timeToFirstTokenP99: median { $0.secondsToFirstToken.p99 },
                interTokenLatencyMedian: median { $0.secondsBetweenTokens.median },
                interTokenLatencyP99: median { $0.secondsBetweenTokens.p99 })
        }
    }
}

/// Memory, in bytes.
public struct MemoryReport: Sendable, Hashable, Encodable {
    /// The device's own name.
    public let device: String
    /// The weights as the device keeps them.
    public let weightsBytes: Int
    /// Activations and the like.
    public let scratchBytes: Int
    /// Keys and values of one token.
    public let cacheBytesPerToken: Int
    /// Weights, scratch and cache as they were taken from the device.
    public let deviceBytes: Int
    /// Peak resident memory of the process.
    public let peakResidentBytes: Int
    /// What capacities are computed for.
    public let budgetBytes: Int
    /// Tokens whose keys and values fit beside weights and scratch.
    public let cacheCapacityTokens: Int
    /// Requests of the load that fit at once.
    public let requestsThatFit: Int

    init(_ memory: MemoryFigures, peakResident: Int, budget: Int, requestTokenCount: Int) {
        device = memory.deviceName
        weightsBytes = memory.weights
        scratchBytes = memory.scratch
        cacheBytesPerToken = memory.tokenByteCount
        deviceBytes = memory.weights + memory.scratch + memory.cache
        peakResidentBytes = peakResident
        budgetBytes = budget
        cacheCapacityTokens = memory.tokenCapacity(budget: budget)
        requestsThatFit = memory.requestCapacity(budget: budget, tokenCount: requestTokenCount)
    }
}
