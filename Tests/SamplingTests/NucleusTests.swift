import Requests
import SharedValues
import Testing

@testable import Sampling

@Suite("Nucleus")
struct NucleusTests {
    /// Sorts everything: obviously right.
    static func oracle(_ weights: [Float], _ parameters: SamplingParameters) -> [Float] {
        var kept = weights
        for index in kept.indices where kept[index] < parameters.minP { kept[index] = 0 }
        if parameters.topK > 0, parameters.topK < kept.count {
            let limit = kept.sorted(by: >)[parameters.topK - 1]
            for index in kept.indices where kept[index] < limit { kept[index] = 0 }
        }
        guard parameters.topP < 1 else { return kept }
        let total = kept.reduce(0.0) { $0 + Double($1) }
        var sum = 0.0
        for (rank, index) in kept.indices.sorted(by: { (kept[$0], $1) > (kept[$1], $0) }).enumerated() {
            if rank > 0, sum >= Double(parameters.topP) * total {
                kept[index] = 0
            } else {
                sum += Double(kept[index])
            }
        }
        return kept
    }

    @Test("buckets keep what sorting keeps", arguments: 0..<400)
    func agreesWithSorting(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed) &* 77 &+ 1)
        let count = [1, 2, 5, 30, 300, 1000][seed % 6]
        var weights = (0..<count).map { _ -> Float in
            // Few distinct values in every third case, so that ties are everywhere.
            seed % 3 == 0
                ? Float(Int.random(in: 0...4, using: &random)) / 4
                : Float(exponential(-Double.random(in: 0...Double(1 + seed % 12), using: &random)))
        }
        weights[Int.random(in: 0..<count, using: &random)] = 1
        var parameters = SamplingParameters()
        if Bool.random(using: &random) { parameters.topK = Int.random(in: 1...count, using: &random) }
        if Bool.random(using: &random) { parameters.topP = Float.random(in: 0.01...1, using: &random) }
        if Bool.random(using: &random) { parameters.minP = Float.random(in: 0...1, using: &random) }
        var found = weights
        var nucleus = Nucleus()
        found.withUnsafeMutableBufferPointer { nucleus.filter($0, parameters) }
        #expect(found == Self.oracle(weights, parameters), "\(parameters.topK) \(parameters.topP) \(parameters.minP)")
        #expect(found.contains { $0 > 0 })
    }
}
