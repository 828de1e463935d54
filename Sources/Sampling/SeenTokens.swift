import Requests

/// Which tokens a request has seen, and how often it produced them: what penalties ask.
struct SeenTokens: Sendable {
    /// Times in the output; zero for tokens of the prompt only.
    private var outputCounts: [Int32: Int] = [:]

    init(prompt: [Int32]) {
        for token in prompt { outputCounts[token] = 0 }
    }

    mutating func append(_ token: Int32) {
        outputCounts[token, default: 0] += 1
    }

    /// Penalises the seen tokens: repetition as in CTRL (arXiv 1909.05858), frequency and presence as OpenAI does.
    func penalize(_ logits: UnsafeMutableBufferPointer<Float>, _ parameters: SamplingParameters) {
        for (token, count) in outputCounts where logits.indices.contains(Int(token)) {
            var value = logits[Int(token)]
            value = value > 0 ? value / parameters.repetitionPenalty : value * parameters.repetitionPenalty
            value -= parameters.frequencyPenalty * Float(count)
            if count > 0 { value -= parameters.presencePenalty }
            logits[Int(token)] = value
        }
    }
}

extension SamplingParameters {
    var hasPenalties: Bool { repetitionPenalty != 1 || frequencyPenalty != 0 || presencePenalty != 0 }
    /// Whether the most likely token is always taken.
    var isGreedy: Bool { temperature < 1e-5 }
    var isFiltered: Bool { topK > 0 || topP < 1 || minP > 0 }
}
