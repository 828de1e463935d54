import CLibrary
public import Requests
import SharedValues

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

extension RankedTokens {
    /// Log probabilities of the token at `index` and of the first `topCount`.
    func logprobs(at index: Int, topCount: Int) -> TokenLogprobs {
        let normalizer = Double(logits[0]) + log(Double(sum))
        func entry(_ index: Int, rank: Int) -> TokenLogprob {
            TokenLogprob(
                token: tokens[index], logprob: Float(Double(logits[index]) - normalizer), rank: rank)
        }
        var rank = index
        while rank > 0, !(logits[rank - 1] > logits[index]) { rank -= 1 }
        return TokenLogprobs(
            chosen: entry(index, rank: rank + 1), top: (0..<topCount).map { entry($0, rank: $0 + 1) })
    }
}
