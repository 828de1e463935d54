import Backends
import SharedValues
import Testing

/// The choices and weights of a router, compared with a plain implementation that sorts.
@Suite struct ExpertRoutingTests {
    private static func route(
        _ routing: ExpertRouting, _ logits: [Float], bias: [Float]? = nil, factors: [Float]? = nil
    ) -> (experts: [Int], weights: [Float]) {
        var route = [Float](repeating: .nan, count: routing.routeWidth)
        var scratch = [Double](repeating: .nan, count: routing.scratchCount)
        (bias ?? []).withUnsafeBufferPointer { biases in
            (factors ?? []).withUnsafeBufferPointer { scales in
                routing.route(
                    logits, bias: bias == nil ? nil : biases.baseAddress,
                    factors: factors == nil ? nil : scales.baseAddress, to: &route, scratch: &scratch)
            }
        }
        return (route.prefix(routing.choiceCount).map { Int($0) }, Array(route.suffix(routing.choiceCount)))
    }

    @Test("the softmax of the chosen logits is the normalized softmax of all")
    func softmax() {
        let routing = ExpertRouting(expertCount: 4, choiceCount: 2, scoring: .softmax, isNormalized: true)
        let (experts, weights) = Self.route(routing, [0, 2, 1, 2])
        #expect(experts == [1, 3])
        #expect(weights == [0.5, 0.5])
    }

    @Test("a bias chooses and does not count; factors count and do not choose")
    func biasAndFactors() {
        let routing = ExpertRouting(expertCount: 3, choiceCount: 1, scoring: .sigmoid, isNormalized: false, scale: 3)
        let (experts, weights) = Self.route(routing, [0, 4, 0], bias: [0, 0, 9], factors: [5, 5, 0.5])
        #expect(experts == [2])
        #expect(weights == [0.75])
    }

    /// The expected numbers are those of transformers 5.24.0: `sparsemixer(logits, jitter_eps=0.1, training=False)`.
    @Test("a sparse mixer weighs each chosen expert among the near ones that are left")
    func sparseMixer() {
        let routing = ExpertRouting(
            expertCount: 5, choiceCount: 2, scoring: .sparseMixer(jitter: 0.1), isNormalized: false)
        for (logits, experts, weights) in Self.mixed {
            let found = Self.route(routing, logits)
            #expect(found.experts == experts)
            for (weight, expected) in zip(found.weights, weights) { #expect(abs(weight - expected) < 1e-6) }
        }
    }

    private static let mixed: [(logits: [Float], experts: [Int], weights: [Float])] = [
        ([1.0, 2.0, 1.75, -3.0, 1.5], [1, 2], [0.56217653, 0.56217653]),
        ([-1.0, -1.1, -2.0, -1.15, -9.0], [0, 1], [0.36159232, 0.51249737]),
        ([0.0, 0.0, -1.0, 0.0, -0.5], [0, 1], [0.33333334, 0.5]),
        ([4.0, 1.0, 0.9, 0.3, 0.85], [0, 1], [1.0, 0.36159232]),
        ([-0.5, 3.0, 2.5, 2.4, 2.0], [1, 2], [0.46396342, 0.39818931]),
    ]

    @Test("experts of groups that are not among the best are not chosen")
    func groups() {
        // The first group has the best expert, the other two have the better pairs.
        let logits: [Float] = [9, -9, 5, 5, 6, 4]
        let pairs = ExpertRouting(
            expertCount: 6, choiceCount: 2, scoring: .sigmoid,
            groups: ExpertRouting.Groups(count: 3, chosenCount: 1, scoreCount: 2), isNormalized: false)
        #expect(Self.route(pairs, logits).experts == [2, 3])
        let best = ExpertRouting(
            expertCount: 6, choiceCount: 2, scoring: .sigmoid,
            groups: ExpertRouting.Groups(count: 3, chosenCount: 1, scoreCount: 1), isNormalized: false)
        #expect(Self.route(best, logits).experts == [0, 1])
    }

    @Test("whatever the logits are, different experts are chosen")
    func hostileLogits() {
        var random = SplitMix64(seed: 5)
        let hostile: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, .greatestFiniteMagnitude, 1]
        for _ in 0..<2_000 {
            let groupCount = Int.random(in: 1...4, using: &random)
            let size = Int.random(in: 1...5, using: &random)
            let chosenCount = Int.random(in: 1...groupCount, using: &random)
            let routing = ExpertRouting(
                expertCount: groupCount * size, choiceCount: Int.random(in: 1...chosenCount * size, using: &random),
                scoring: Bool.random(using: &random) ? .softmax : .sigmoid,
                groups: ExpertRouting.Groups(
                    count: groupCount, chosenCount: chosenCount, scoreCount: Int.random(in: 1...size, using: &random)),
                isNormalized: Bool.random(using: &random))
            let mixer = ExpertRouting(
                expertCount: groupCount * size, choiceCount: routing.choiceCount, scoring: .sparseMixer(jitter: 0.01),
                isNormalized: false)
            func numbers() -> [Float] {
                (0..<routing.expertCount).map { _ in hostile.randomElement(using: &random) ?? 0 }
            }
            let experts = Self.route(routing, numbers(), bias: numbers()).experts
            #expect(Set(experts).count == routing.choiceCount)
            #expect(experts.allSatisfy { (0..<routing.expertCount).contains($0) })
            #expect(Set(Self.route(mixer, numbers()).experts).count == mixer.choiceCount)
        }
    }

    @Test("random logits: the same experts as by sorting")
    func sorting() {
        var random = SplitMix64(seed: 6)
        for _ in 0..<500 {
            let count = Int.random(in: 1...40, using: &random)
            let routing = ExpertRouting(
                expertCount: count, choiceCount: Int.random(in: 1...count, using: &random), scoring: .softmax,
                isNormalized: true)
            let logits = (0..<count).map { _ in Float.random(in: -3...3, using: &random) }
            let (experts, weights) = Self.route(routing, logits)
            let sorted = logits.indices.sorted { logits[$0] > logits[$1] }
            #expect(experts == Array(sorted.prefix(routing.choiceCount)))
            #expect(abs(weights.reduce(0, +) - 1) < 1e-6)
        }
    }
}
