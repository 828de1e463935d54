public import Requests

/// What a step changed for one request.
public struct RequestProgress: Sendable {
    /// Its name.
    public let id: RequestID
    /// The token it produced, if any.
    public var token: Int32?
    /// That token's log probabilities, where asked for.
    public var logprobs: TokenLogprobs?
    /// Scores of further prompt tokens, in order, where asked for.
    public var promptLogprobs: [TokenLogprobs] = []
    /// Why it ended, if it did.
    public var finish: FinishReason?
}
