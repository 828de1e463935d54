import SharedValues
import Testing

@testable import Simulation

@Suite("Histogram")
struct HistogramTests {
    @Test("quantiles are within a 64th of the exact ones", arguments: 0..<20)
    func quantiles(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var histogram = Histogram()
        let values = (0..<1 + seed * 100).map { _ in random.logNormal(mean: 3, sigma: 2) }
        for value in values { histogram.add(value) }
        let sorted = values.sorted()
        for percent in [1, 10, 50, 90, 99, 100] {
            let rank = max(1, (percent * sorted.count + 99) / 100)
            let (exact, found) = (sorted[rank - 1], histogram.value(atQuantile: Double(percent) / 100))
            #expect(found >= exact * 0.999999 && found <= exact * (1 + 1.0 / 32))
        }
        #expect(abs(histogram.mean - values.reduce(0, +) / Double(values.count)) < 1e-9 * histogram.sum)
        #expect(histogram.maximum == sorted.last)
    }

    @Test("an empty one is all zeros, and nonsense is left out")
    func empty() {
        var histogram = Histogram()
        histogram.add(.nan)
        histogram.add(.infinity)
        histogram.add(1, times: 0)
        #expect(histogram.count == 0 && histogram.mean == 0 && histogram.value(atQuantile: 0.5) == 0)
        histogram.add(-1)
        #expect(histogram.count == 1 && histogram.sum == 0)
    }
}
