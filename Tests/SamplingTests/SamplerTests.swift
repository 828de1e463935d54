import Requests
import Testing

@testable import Sampling

@Suite("Sampler")
struct SamplerTests {
    static func sample(
        _ logits: [Float], prompt: [Int32] = [], outputs: Int = 1, _ configure: (inout SamplingParameters) -> Void
    ) -> [Int32] {
        var parameters = SamplingParameters()
        configure(&parameters)
        var sampler = Sampler(parameters: parameters, prompt: prompt)
        var scratch = SamplerScratch()
        return (0..<outputs).map { position in
            var row = logits
            return row.withUnsafeMutableBufferPointer {
                sampler.sample($0, outputCount: position, scratch: &scratch).token
            }
        }
    }

    @Test("temperature 0 takes the largest logit, the first of equal ones, past NaN", arguments: [3, 16, 17, 100])
    func greedy(count: Int) {
        for index in 0..<count {
            var logits = [Float](repeating: -1, count: count)
            logits[index] = 2
            logits[count - 1] = 2
            if index > 0 { logits[0] = .nan }
            #expect(Self.sample(logits) { $0.temperature = 0 } == [Int32(index)])
        }
    }

    @Test("rows of minus infinity or NaN give the first token and no crash", arguments: [0, 1] as [Float])
    func hopeless(temperature: Float) {
        for value in [-Float.infinity, .nan] {
            let logits = [Float](repeating: value, count: 20)
            #expect(Self.sample(logits) { $0.temperature = temperature } == [0])
        }
    }

    @Test("logit bias bans and forces")
    func bias() {
        #expect(
            Self.sample([5, 4, 3]) {
                $0.temperature = 0; $0.logitBias = [0: -100]
            } == [1])
        #expect(
            Self.sample([5, 4, 3]) {
                $0.temperature = 0; $0.logitBias = [2: 100]
            } == [2])
    }

    @Test("end and stop tokens are impossible before min_tokens")
    func minimum() {
        let tokens = Self.sample([5, 4, 3], outputs: 3) {
            $0.temperature = 0
            $0.minTokens = 2
            $0.endTokenIDs = [0]
            $0.stopTokenIDs = [1]
        }
        #expect(tokens == [2, 2, 0])
    }

    @Test("penalties follow their formulas")
    func penalties() {
        // Repetition: 5 / 2 and -1 * 2, for prompt tokens too.
        #expect(
            Self.sample([5, 3, -1, -1.5], prompt: [0, 2]) {
                $0.temperature = 0; $0.repetitionPenalty = 2
            } == [1])
        #expect(
            Self.sample([-1, -1.5], prompt: [0]) {
                $0.temperature = 0; $0.repetitionPenalty = 2
            } == [1])
        // Presence: once, for output tokens only: 5, then 5 - 1.5 < 4, then equal to what it was.
        #expect(
            Self.sample([5, 4], prompt: [1], outputs: 3) {
                $0.temperature = 0; $0.presencePenalty = 1.5
            } == [0, 1, 0])
        // Frequency: 5, 4.6, 4.2, 3.8 against 4, 3.6.
        #expect(
            Self.sample([5, 4], outputs: 6) {
                $0.temperature = 0; $0.frequencyPenalty = 0.4
            } == [0, 0, 0, 1, 0, 1])
    }

    @Test("the same seed gives the same tokens, another seed others, and a position is independent of the others")
    func seeds() {
        let logits = (0..<50).map { Float($0 % 7) * 0.3 }
        let first = Self.sample(logits, outputs: 40) { $0.seed = 1 }
        #expect(Self.sample(logits, outputs: 40) { $0.seed = 1 } == first)
        #expect(Self.sample(logits, outputs: 40) { $0.seed = 2 } != first)
        // A draw does not depend on earlier draws: here the first ten come from another row and are all but certain.
        var parameters = SamplingParameters()
        parameters.seed = 1
        var sampler = Sampler(parameters: parameters, prompt: [])
        var scratch = SamplerScratch()
        let tokens = (0..<40).map { position in
            var row = position < 10 ? [0, 100] : logits
            return row.withUnsafeMutableBufferPointer {
                sampler.sample($0, outputCount: position, scratch: &scratch).token
            }
        }
        #expect(tokens.prefix(10).allSatisfy { $0 == 1 } && tokens.dropFirst(10) == first.dropFirst(10))
    }

    /// Chi-square of 20,000 draws over 12 tokens; 11 degrees of freedom stay under 31.3 in 999 of 1,000 cases, and the
    /// seed is fixed.
    @Test("draws follow the softmax at the temperature", arguments: [0.5, 1, 2] as [Float])
    func distribution(temperature: Float) {
        let logits = (0..<12).map { Float(($0 * 5) % 12) * 0.35 }
        let draws = Self.sample(logits, outputs: 20_000) {
            $0.temperature = temperature
            $0.seed = 7
        }
        let weights = logits.map { exponential(Double($0 / temperature)) }
        let total = weights.reduce(0, +)
        var square = 0.0
        for token in logits.indices {
            let expected = weights[token] / total * 20_000
            let found = Double(draws.count { $0 == Int32(token) })
            square += (found - expected) * (found - expected) / expected
        }
        #expect(square < 31.3)
    }

    @Test("log probabilities are the model's own, before sampling changes the logits")
    func logprobs() throws {
        let logits: [Float] = [1, 3, 2, -4]
        var parameters = SamplingParameters()
        parameters.logprobs = 2
        parameters.logitBias = [2: 100]
        parameters.temperature = 0.3
        var sampler = Sampler(parameters: parameters, prompt: [])
        var scratch = SamplerScratch()
        var row = logits
        let (token, scores) = row.withUnsafeMutableBufferPointer {
            sampler.sample($0, outputCount: 0, scratch: &scratch)
        }
        let found = try #require(scores)
        let normalizer = logarithm(logits.reduce(0) { $0 + exponential(Double($1)) })
        #expect(token == 2 && found.chosen.token == 2 && found.chosen.rank == 2)
        #expect(abs(Double(found.chosen.logprob) - (2 - normalizer)) < 1e-6)
        #expect(found.top.map(\.token) == [1, 2] && found.top.map(\.rank) == [1, 2])
    }
}
