public import Requests

/// Log probabilities of `token` and of the `topCount` most likely tokens under `logits`, `[vocabularySize]`.
public func logprobs(
    of token: Int32, topCount: Int, in logits: UnsafeMutableBufferPointer<Float>
) -> TokenLogprobs {
    let normalizer = logits.logSumExp()
    func entry(_ token: Int32, rank: Int) -> TokenLogprob {
        TokenLogprob(token: token, logprob: Float(Double(logits[Int(token)]) - normalizer), rank: rank)
    }
    let value = logits[Int(token)]
    var rank = 1
    for other in logits where other > value { rank += 1 }
    var top: [Int32] = []
    logits.rank(topCount, into: &top)
    return TokenLogprobs(
        chosen: entry(token, rank: rank), top: top.enumerated().map { entry($0.element, rank: $0.offset + 1) })
}
