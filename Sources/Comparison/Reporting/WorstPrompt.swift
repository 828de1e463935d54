/// A prompt after which a configuration's text soon differs from the reference's.
public struct WorstPrompt: Sendable, Hashable, Encodable {
    /// The prompt.
    public let prompt: String
    /// Tokens until the first that is another.
    public let identicalTokens: Int
    public let sameText: String
    /// How the reference goes on from there.
    public let referenceText: String
    /// How the configuration does.
    public let text: String
    /// The probability that the reference gave its own next token at the first difference.
    public let referenceProbability: Double

    /// The `count` worst: those that differ from the reference first, and of equal ones those where the reference gave its
    /// own token the highest probability.
    static func worst(
        _ count: Int, of own: [Continuation], beside reference: [Continuation], prompts: [String]
    ) -> [WorstPrompt] {
        var all: [WorstPrompt] = []
        for (prompt, pair) in zip(prompts, zip(own, reference)) where pair.0.tokens != pair.1.tokens {
            let same = pair.0.identicalCount(with: pair.1)
            let (reference, text) = (pair.1.parts(tokenCount: same), pair.0.parts(tokenCount: same))
            let probability = same < pair.1.probabilities.count ? Double(pair.1.probabilities[same]) : 0
            all.append(
                WorstPrompt(
                    prompt: prompt, identicalTokens: same, sameText: reference.same, referenceText: reference.rest,
                    text: text.rest, referenceProbability: probability))
        }
        all.sort {
            ($0.identicalTokens, -$0.referenceProbability) < ($1.identicalTokens, -$1.referenceProbability)
        }
        return Array(all.prefix(count))
    }
}
