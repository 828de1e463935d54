/// A token with its natural-log probability and rank.
public struct TokenLogprob: Sendable, Hashable {
    /// The token.
    public let token: Int32
    /// Natural logarithm of its probability under the model, before temperature and penalties.
    public let logprob: Float
    /// How many tokens are more likely, plus one.
    public let rank: Int

    /// The three as given.
    public init(token: Int32, logprob: Float, rank: Int) {
        self.token = token
        self.logprob = logprob
        self.rank = rank
    }
}

/// A token of a sequence with the most likely alternatives at its place.
public struct TokenLogprobs: Sendable, Hashable {
    /// The token that stands there.
    public let chosen: TokenLogprob
    /// The most likely tokens, best first; may include the chosen one.
    public let top: [TokenLogprob]

    /// The two as given.
    public init(chosen: TokenLogprob, top: [TokenLogprob]) {
        self.chosen = chosen
        self.top = top
    }
}
