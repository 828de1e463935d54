import Testing

@testable import Simulation

@Suite("TimeSeries")
struct TimeSeriesTests {
    @Test("a value that spans many intervals is in each of them")
    func longSteps() {
        var series = TimeSeries()
        for step in 0..<100 { series.add(Double(step), at: Double(step) * 0.03, for: 0.03) }
        // 3 s in at most 240 intervals.
        #expect(series.intervalSeconds == 0.016 && series.values.count == 188)
        for (index, value) in series.values.enumerated() {
            #expect(abs(value - (Double(index) * 0.016 / 0.03)) <= 1)
        }
    }

    @Test("the mean of an interval weighs values by their time")
    func means() {
        var series = TimeSeries()
        series.add(4, at: 0, for: 0.00025)
        series.add(8, at: 0.00025, for: 0.00075)
        series.add(3, at: 0.002, for: 0)
        #expect(series.values[0] == 7 && series.values[1] == 0)
    }

    @Test("means stay right however often intervals double, and there are never many")
    func coarsening() {
        var series = TimeSeries()
        for step in 0..<10_000 { series.add(step < 5000 ? 2 : 4, at: Double(step) * 0.1, for: 0.1) }
        let values = series.values
        #expect(values.count <= 240)
        let half = Int(500 / series.intervalSeconds)
        #expect(values[..<(half - 1)].allSatisfy { abs($0 - 2) < 1e-9 })
        #expect(values[(half + 1)...].allSatisfy { abs($0 - 4) < 1e-9 })
    }
}
