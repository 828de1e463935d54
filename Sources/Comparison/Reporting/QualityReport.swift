import Benchmarking

/// How well a configuration predicts and continues, on its own and beside the reference.
public struct QualityReport: Sendable, Hashable, Encodable {
    /// Tokens that were predicted.
    public let predictedTokens: Int
    /// `exp` of the mean negative log-likelihood.
    public let perplexity: Estimate
    /// The rest, beside the reference; nil for the reference.
    public private(set) var against: Against?
    /// Why there is no `against`, or only a part of it.
    public private(set) var obstacle: String?

    /// Beside the reference.
    public struct Against: Sendable, Hashable, Encodable {
        /// Perplexity as a multiple of the reference's, the error by pairs of predictions.
        public var perplexityRatio: Estimate?
        /// KL divergence of the reference's next-token distribution from this one's, in nats.
        public var divergence: Estimate?
        /// One in a hundred divergences is larger.
        public var divergenceP99: Double?
        /// The largest.
        public var divergenceMax: Double?
        /// Fraction of positions with the same most likely token.
        public var sameTopToken: Estimate?
        /// Tokens of a greedy continuation until the first that is another.
        public var identicalTokens: Estimate?
        /// Continuations that are the same to the end.
        public var identicalContinuations: Int?
        /// Continuations in all.
        public var continuations: Int?
        /// Every fiftieth quantile of the divergences, for charts.
        var divergenceQuantiles: [Double] = []

        private enum CodingKeys: String, CodingKey {
            case perplexityRatio, divergence, divergenceP99, divergenceMax, sameTopToken, identicalTokens
            case identicalContinuations, continuations
        }
    }

    /// Of `entry`, beside `reference` unless it is the reference; nil where the text was not scored.
    init?(_ entry: ComparisonMeasurements.Entry, reference: ComparisonMeasurements.Entry?) {
        guard let scores = entry.text,
            let likelihood = Estimate(meanOf: scores.negativeLogLikelihoods.map { Double($0) })
        else { return nil }
        predictedTokens = scores.negativeLogLikelihoods.count
        perplexity = likelihood.exponential
        guard let reference, reference.name != entry.name else { return }
        var against = Against()
        obstacle = against.compare(scores, with: reference.text) ?? nil
        if let other = against.compare(entry.continuations, with: reference.continuations) {
            obstacle = [obstacle, other].compactMap { $0 }.joined(separator: "; ")
        }
        self.against = against
    }
}

extension QualityReport.Against {
    /// Fills in the figures of the text; returns why it cannot.
    fileprivate mutating func compare(_ scores: TextScores, with reference: TextScores?) -> String? {
        guard let reference, let places = scores.against else { return nil }
        if let obstacle = places.obstacle { return obstacle }
        guard scores.tokensDigest == reference.tokensDigest else {
            return "the text becomes other tokens than the reference's"
        }
        let differences = zip(scores.negativeLogLikelihoods, reference.negativeLogLikelihoods).map {
            Double($0) - Double($1)
        }
        perplexityRatio = Estimate(meanOf: differences)?.exponential
        let divergences = places.divergences.map { Double($0) }
        divergence = Estimate(meanOf: divergences)
        divergenceP99 = Percentiles(divergences).p99
        divergenceMax = divergences.max()
        sameTopToken = Estimate(meanOf: places.agreements.map { $0 ? 1 : 0 })
        let sorted = divergences.sorted()
        divergenceQuantiles = (0...50).map { sorted[min(sorted.count - 1, $0 * sorted.count / 50)] }
        return nil
    }

    /// Fills in the figures of the continuations; returns why it cannot.
    fileprivate mutating func compare(_ own: [Continuation]?, with reference: [Continuation]?) -> String? {
        guard let own, let reference, own.count == reference.count else { return nil }
        let pairs = zip(own, reference)
        if let different = pairs.enumerated().first(where: { $1.0.promptTokens != $1.1.promptTokens }) {
            return "prompt \(different.offset + 1) becomes other tokens than the reference's"
        }
        identicalTokens = Estimate(meanOf: pairs.map { Double($0.identicalCount(with: $1)) })
        identicalContinuations = pairs.count { $0.tokens == $1.tokens }
        continuations = own.count
        return nil
    }
}
