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
    let top = mostLikely(min(topCount, logits.count), in: logits)
    return TokenLogprobs(
        chosen: entry(token, rank: rank), top: top.enumerated().map { entry($0.element, rank: $0.offset + 1) })
}

/// The `count` tokens of the largest logits, best first, equal ones by id. For small counts: insertion into a sorted
/// list, which most tokens leave after one comparison.
private func mostLikely(_ count: Int, in logits: UnsafeMutableBufferPointer<Float>) -> [Int32] {
    guard count > 0 else { return [] }
    var best: [Int32] = []
    best.reserveCapacity(count + 1)
    for index in logits.indices {
        let value = logits[index]
        guard value == value else { continue }
        if best.count == count, value <= logits[Int(best[count - 1])] { continue }
        var place = best.count
        while place > 0, value > logits[Int(best[place - 1])] { place -= 1 }
        best.insert(Int32(truncatingIfNeeded: index), at: place)
        if best.count > count { best.removeLast() }
    }
    return best
}
