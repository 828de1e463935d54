import Benchmarking
import SharedValues
import Testing

@testable import Comparison

@Suite("Arithmetic against hand-computed values")
struct StatisticsTests {
    @Test("a mean and its standard error")
    func mean() throws {
        // Deviations -3 -1 1 3: variance 20/3, error sqrt(20/3/4).
        let estimate = try #require(Estimate(meanOf: [2, 4, 6, 8]))
        #expect(estimate.value == 5 && abs(estimate.standardError - 1.2909944487358056) < 1e-12)
        #expect(Estimate(meanOf: []) == nil)
        #expect(Estimate(meanOf: [7])?.standardError == 0)
        let power = Estimate(value: 2, standardError: 0.1).exponential
        #expect(abs(power.value - 7.38905609893065) < 1e-12 && abs(power.standardError - 0.738905609893065) < 1e-12)
    }

    @Test("logits become log probabilities")
    func normalize() {
        // exp: 1, 2, 5 of 8.
        var row: [Float] = [0, 0.6931472, 1.609438]
        let isFinite = row.withUnsafeMutableBufferPointer { LogDistribution.normalize($0) }
        #expect(isFinite)
        for (value, expected) in zip(row, [-2.0794415, -1.3862944, -0.4700036] as [Float]) {
            #expect(abs(value - expected) < 1e-6)
        }
        // Far from zero nothing overflows.
        row = [1000, 1000, -1000]
        _ = row.withUnsafeMutableBufferPointer { LogDistribution.normalize($0) }
        #expect(abs(row[0] + 0.6931472) < 1e-6 && row[2] == -2000.6931)
    }

    @Test("what is not finite is refused", arguments: [Float.nan, .infinity, -.infinity])
    func notFinite(value: Float) {
        for place in 0..<3 {
            var row: [Float] = [1, 2, 3]
            row[place] = value
            #expect(!row.withUnsafeMutableBufferPointer { LogDistribution.normalize($0) })
        }
        var empty: [Float] = []
        #expect(!empty.withUnsafeMutableBufferPointer { LogDistribution.normalize($0) })
    }

    @Test("KL divergence")
    func divergence() {
        func divergence(_ p: [Float], _ q: [Float]) -> Double {
            var q = q
            return p.withUnsafeBufferPointer { p in
                q.withUnsafeMutableBufferPointer { LogDistribution.divergence(of: p, from: $0) }
            }
        }
        let (half, quarter) = (Float(-0.6931472), Float(-1.3862944))
        // 1/2 log(1/2 / 1/4) + 1/4 log(1) + 1/4 log(1/4 / 1/2) = 1/4 log 2.
        #expect(abs(divergence([half, quarter, quarter], [quarter, quarter, half]) - 0.17328679513998632) < 1e-6)
        #expect(divergence([half, quarter, quarter], [half, quarter, quarter]) == 0)
        // It is not symmetric: 0.9 log(0.9/0.5) + 0.1 log(0.1/0.5), and the other way round.
        let (nine, one) = (Float(-0.10536052), Float(-2.3025851))
        #expect(abs(divergence([nine, one], [half, half]) - 0.3680642071684971) < 1e-6)
        #expect(abs(divergence([half, half], [nine, one]) - 0.5108256237659907) < 1e-6)
    }

    @Test("the first of the most likely")
    func mode() {
        #expect(LogDistribution.mode([-3, -1, -2, -1]) == 1)
        #expect(LogDistribution.mode([-5]) == 0)
    }

    @Test("the 99th percentile is an order statistic")
    func percentile() {
        #expect(Percentiles((1...1000).map { Double($0) }).p99 == 990)
    }

    @Test("capacity is what arithmetic says")
    func capacity() {
        var memory = MemoryFigures()
        memory.weights = 1000
        memory.scratch = 200
        memory.alignment = 56
        memory.block = 64
        memory.groups = [CacheGroup(blockSize: 16)]
        // 744 bytes are left: 11 blocks.
        #expect(memory.tokenCapacity(budget: 2000) == 11 * 16)
        #expect(memory.requestCapacity(budget: 2000, tokenCount: 33) == 3)
        #expect(memory.tokenCapacity(budget: 1000) == 0)
        memory.addressableBlockCount = 5
        #expect(memory.tokenCapacity(budget: 2000) == 80)
    }
}
