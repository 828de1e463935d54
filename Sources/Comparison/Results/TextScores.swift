/// How well a model predicts each token of the text, and how its predictions differ from the reference's.
public struct TextScores: Sendable, Hashable, Codable {
    /// Tokens of the text, those that begin a window included.
    public var tokenCount = 0
    /// A digest of them.
    public var tokensDigest = ""
    /// Numbers of a distribution.
    public var vocabularySize = 0
    /// For each predicted token, the negative natural logarithm of its probability.
    public var negativeLogLikelihoods: [Float] = []
    /// The comparison with the reference's distributions at the same positions; nil for the reference.
    public var against: Against?

    /// A model's distributions beside the reference's, position by position.
    public struct Against: Sendable, Hashable, Codable {
        /// Why the two cannot be compared; nil where they can.
        public var obstacle: String?
        /// KL divergence of the reference's distribution from the model's, in nats.
        public var divergences: [Float] = []
        /// Whether the two have the same most likely token.
        public var agreements: [Bool] = []

        public init() {}
    }

    public init() {}
}
