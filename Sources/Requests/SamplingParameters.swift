/// How tokens are chosen for a request. Defaults are OpenAI's: temperature 1, everything else off.
public struct SamplingParameters: Sendable, Hashable {
    /// Divides the logits; 0 takes the most likely token.
    public var temperature: Float = 1
    /// Only the `topK` most likely tokens; 0: all.
    public var topK = 0
    /// Only the most likely tokens whose probabilities add up to `topP`; 1: all (Holtzman et al., arXiv 1904.09751).
    public var topP: Float = 1
    /// Only tokens at least `minP` times as likely as the most likely one; 0: all.
    public var minP: Float = 0
    /// Divides positive and multiplies negative logits of tokens seen in prompt or output; 1: off (arXiv 1909.05858).
    public var repetitionPenalty: Float = 1
    /// Subtracted from the logit of each token that is in the output.
    public var presencePenalty: Float = 0
    /// Subtracted from a token's logit for each time it is in the output.
    public var frequencyPenalty: Float = 0
    /// Added to the logits of these tokens.
    public var logitBias: [Int32: Float] = [:]
    /// Fixes every random choice, whatever other requests are in the batch.
    public var seed: UInt64 = 0
    /// The greatest number of tokens to produce; 0 only scores the prompt.
    public var maxTokens = 16
    /// The least number of tokens before an end-of-text token, a stop token or a stop string ends the output.
    public var minTokens = 0
    /// Tokens that end the output, beside the model's own.
    public var stopTokenIDs: [Int32] = []
    /// The model's end-of-text tokens; empty when the request ignores them.
    public var endTokenIDs: [Int32] = []
    /// Return the log probability of each produced token and of this many most likely ones; nil: none.
    public var logprobs: Int?
    /// The same for the tokens of the prompt.
    public var promptLogprobs: Int?

    /// OpenAI's defaults.
    public init() {}

    /// Whether `token` ends an output that `allowsEnd`.
    public func isEnd(_ token: Int32) -> Bool { endTokenIDs.contains(token) || stopTokenIDs.contains(token) }

    /// Whether an output of `outputCount` tokens may end with the last of them: `minTokens` come before it. The sampler
    /// masks end tokens by this rule, and scheduler and engine end requests by it.
    public func allowsEnd(atOutputCount outputCount: Int) -> Bool { outputCount > minTokens }
}
