import Requests

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The most likely tokens of a row of logits, best first, equal ones by id, and sums over the whole row: what a device
/// may send instead of the row. Borrows its memory.
public struct RankedTokens {
    /// How many of the most likely tokens a draw looks at before all others.
    public static let drawnFirstCount = 64

    let tokens: UnsafeBufferPointer<Int32>
    let logits: UnsafeBufferPointer<Float>
    let sum: Double
    let temperedSum: Double
    let vocabularySize: Int

    /// `sum` is that of `exp(logit - largest)` over all `vocabularySize` logits, `temperedSum` that of
    /// `exp((logit - largest) / temperature)`. Precondition: as many tokens as logits, at least one.
    public init(
        tokens: UnsafeBufferPointer<Int32>, logits: UnsafeBufferPointer<Float>, sum: Float, temperedSum: Float,
        vocabularySize: Int
    ) {
        precondition(tokens.count == logits.count && !tokens.isEmpty, "ranked tokens without logits")
        self.tokens = tokens
        self.logits = logits
        self.sum = Double(sum)
        self.temperedSum = Double(temperedSum)
        self.vocabularySize = vocabularySize
    }

    /// Whether there are no others.
    var isWhole: Bool { tokens.count == vocabularySize }

    /// Log probabilities of the token in place `place` and of the first `topCount`.
    func logprobs(of place: Int, topCount: Int) -> TokenLogprobs {
        let normalizer = Double(logits[0]) + log(sum)
        func entry(_ index: Int, rank: Int) -> TokenLogprob {
            TokenLogprob(
                token: tokens[index], logprob: Float(Double(logits[index]) - normalizer), rank: rank)
        }
        var rank = place
        while rank > 0, !(logits[rank - 1] > logits[place]) { rank -= 1 }
        return TokenLogprobs(
            chosen: entry(place, rank: rank + 1), top: (0..<topCount).map { entry($0, rank: $0 + 1) })
    }
}
