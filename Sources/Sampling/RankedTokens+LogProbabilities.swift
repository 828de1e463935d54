import CLibrary
import Requests
import SharedValues

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
