public import Simulation

/// One trace on the real engine and in simulation: each figure beside its prediction.
public struct TracePrediction: Sendable, Encodable {
    /// What a figure counts.
    public enum Unit: String, Sendable, Encodable {
        /// Seconds.
        case seconds
        /// A part of a whole, 0 to 1.
        case share
        /// A number of something, or so many a second.
        case count
    }

    /// One figure.
    public struct Figure: Sendable, Encodable {
        public let name: String
        /// What it counts.
        public let unit: Unit
        /// On the real engine.
        public let measured: Double
        public let predicted: Double

        /// The relative error of the prediction; nil where 0 was measured and something else predicted.
        public var error: Double? {
            if measured == predicted { return 0 }
            return measured == 0 ? nil : predicted / measured - 1
        }

        private enum CodingKeys: String, CodingKey { case name, unit, measured, predicted, error }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(unit, forKey: .unit)
            try container.encode(measured, forKey: .measured)
            try container.encode(predicted, forKey: .predicted)
            try container.encode(error, forKey: .error)
        }
    }

    /// Latencies, throughput, preemptions and the use of the cache.
    public let figures: [Figure]

    /// `measured` beside `predicted`, both of the same trace.
    public init(_ measured: ReplayFigures, _ predicted: PolicyReport) {
        var figures: [Figure] = []
        func add(_ name: String, _ unit: Unit, _ measured: Double, _ predicted: Double) {
            figures.append(Figure(name: name, unit: unit, measured: measured, predicted: predicted))
        }
        func add(_ name: String, _ measured: Percentiles, _ predicted: PolicyReport.Distribution) {
            add("\(name), mean", .seconds, measured.mean, predicted.mean)
            add("\(name), median", .seconds, measured.median, predicted.p50)
            add("\(name), p90", .seconds, measured.p90, predicted.p90)
            add("\(name), p99", .seconds, measured.p99, predicted.p99)
        }
        add("time to first token", measured.secondsToFirstToken, predicted.timeToFirstToken)
        add("inter-token latency", measured.secondsBetweenTokens, predicted.interToken)
        add("end-to-end latency", measured.secondsToLastToken, predicted.endToEnd)
        add("output tokens/s", .count, measured.outputTokensPerSecond, predicted.outputTokensPerSecond)
        add("preemptions", .count, Double(measured.preemptionCount), Double(predicted.preemptionCount))
        add(
            "tokens computed again", .count, Double(measured.recomputedTokenCount),
            Double(predicted.tokens.recomputed))
        add("cache use, mean", .share, measured.meanCacheUse, predicted.cache.meanUse)
        add("cache use, maximum", .share, measured.maxCacheUse, predicted.cache.maxUse)
        self.figures = figures
    }
}
