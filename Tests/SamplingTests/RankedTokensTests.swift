import Requests
import SharedValues
import Testing

@testable import Sampling

/// A row of logits, and the ranked tokens that a device sends instead.
private struct Row {
    let logits: [Float]
    var candidateCount = RankedTokens.maximumCount

    func sample(_ parameters: SamplingParameters, outputs: Int) -> (whole: [Int32], ranked: [Int32?]) {
        var (whole, ranked): ([Int32], [Int32?]) = ([], [])
        var scratch = SamplerScratch()
        var first = Sampler(parameters: parameters, prompt: [])
        let second = first
        for position in 0..<outputs {
            var row = logits
            whole.append(
                row.withUnsafeMutableBufferPointer {
                    first.sample($0, outputCount: position, scratch: &scratch).token
                })
            ranked.append(
                withRanked(second) { second.sample($0, outputCount: position, scratch: &scratch)?.token })
        }
        return (whole, ranked)
    }

    func withRanked<Result>(_ sampler: Sampler, _ body: (RankedTokens) -> Result) -> Result {
        var row = logits
        var tokens: [Int32] = []
        row.withUnsafeMutableBufferPointer { $0.rank(candidateCount, into: &tokens) }
        let best = tokens.map { logits[Int($0)] }
        func sum(_ scale: Float) -> Float {
            Float(logits.reduce(0.0) { $0 + exponential(Double(($1 - best[0]) * scale)) })
        }
        return tokens.withUnsafeBufferPointer { tokens in
            best.withUnsafeBufferPointer { best in
                body(
                    RankedTokens(
                        tokens: tokens, logits: best, sum: sum(1), temperedSum: sum(sampler.inverseTemperature),
                        vocabularySize: logits.count))
            }
        }
    }
}

@Suite("Sampling from ranked tokens")
struct RankedTokensTests {
    /// 500 numbers, many of them equal, a few likely.
    private static let logits = (0..<500).map { index -> Float in
        let mixed = (index * 7919 + 13) % 500
        return mixed < 12 ? Float(8 + mixed % 5) : Float(mixed % 40) * 0.1
    }

    private static let choices: [(name: String, change: @Sendable (inout SamplingParameters) -> Void)] = [
        ("greedy", { $0.temperature = 0 }), ("plain", { $0.temperature = 1 }), ("cold", { $0.temperature = 0.3 }),
        ("hot", { $0.temperature = 5 }), ("top_k", { $0.topK = 10 }), ("top_k of one", { $0.topK = 1 }),
        ("top_k at the limit", { $0.topK = 64 }), ("top_k past it", { $0.topK = 100 }),
        ("top_p", { $0.topP = 0.8 }),
        (
            "top_p, hot",
            {
                $0.topP = 0.95; $0.temperature = 5
            }
        ),
        ("min_p", { $0.minP = 0.05 }), ("min_p of few", { $0.minP = 1e-9 }),
        (
            "all three",
            {
                $0.minP = 0.01; $0.topK = 9; $0.topP = 0.7
            }
        ),
        (
            "top_k and top_p, hot",
            {
                $0.topK = 30; $0.topP = 0.5; $0.temperature = 4
            }
        ),
    ]

    @Test("give the token that the whole row gives, or ask for it", arguments: choices.indices)
    func agreement(choice: Int) {
        let (name, change) = Self.choices[choice]
        var parameters = SamplingParameters()
        parameters.seed = 5
        change(&parameters)
        for row in [Row(logits: Self.logits), Row(logits: Array(Self.logits.prefix(64)))] {
            let (whole, ranked) = row.sample(parameters, outputs: 300)
            for (left, right) in zip(whole, ranked) where right != nil { #expect(left == right, "\(name)") }
            let unknown = ranked.count { $0 == nil }
            // The ranked tokens are always enough where they are the whole row, or where the limits keep few tokens.
            if row.logits.count == 64 { #expect(unknown == 0, "\(name)") }
            if ["greedy", "cold", "top_k", "top_k of one", "top_p", "min_p", "all three"].contains(name) {
                #expect(unknown == 0, "\(name)")
            }
            if row.logits.count > 64, ["hot", "top_k past it", "min_p of few"].contains(name) {
                #expect(unknown > 0, "\(name)")
            }
        }
    }

    @Test("log probabilities are those of the whole row")
    func logprobs() throws {
        var parameters = SamplingParameters()
        parameters.logprobs = 5
        var scratch = SamplerScratch()
        let row = Row(logits: Self.logits)
        for seed in 0..<50 {
            parameters.seed = UInt64(seed)
            var first = Sampler(parameters: parameters, prompt: [])
            let second = first
            var logits = row.logits
            let whole = logits.withUnsafeMutableBufferPointer {
                first.sample($0, outputCount: 0, scratch: &scratch).logprobs
            }
            let ranked = row.withRanked(second) { second.sample($0, outputCount: 0, scratch: &scratch)?.logprobs }
            let (left, right) = (try #require(whole), try #require(ranked ?? nil))
            #expect(left.top.map(\.token) == right.top.map(\.token) && left.chosen.rank == right.chosen.rank)
            for (one, other) in zip(left.top + [left.chosen], right.top + [right.chosen]) {
                #expect(abs(one.logprob - other.logprob) < 1e-5)
            }
        }
    }

    @Test("are not asked for where logits are changed first")
    func demand() {
        let changes: [(inout SamplingParameters) -> Void] = [
            { $0.logitBias = [1: 2] }, { $0.repetitionPenalty = 1.1 }, { $0.presencePenalty = 1 },
            { $0.minTokens = 1 }, { $0.logprobs = 65 },
        ]
        for change in changes {
            var parameters = SamplingParameters()
            #expect(Sampler(parameters: parameters, prompt: []).acceptsRankedTokens(outputCount: 0))
            change(&parameters)
            #expect(!Sampler(parameters: parameters, prompt: []).acceptsRankedTokens(outputCount: 0))
        }
    }
}
