import Testing

@testable import Reports

@Suite("Numbers and axes")
struct NumeralTests {
    @Test("axes have round numbers")
    func ticks() {
        #expect(AxisTicks.linear(to: 1).map(Numeral.short) == ["0", "0.2", "0.4", "0.6", "0.8", "1"])
        #expect(AxisTicks.linear(to: 337) == [0, 100, 200, 300, 400])
        #expect(AxisTicks.linear(to: 0).count >= 2)
        for value in [1e-7, 0.003, 0.7, 9.99, 10, 10.01, 12_345] {
            let ticks = AxisTicks.linear(to: value)
            #expect(ticks.count <= 7 && ticks[ticks.count - 1] >= value * 0.999999)
        }
        #expect(AxisTicks.logarithmic(within: 0.5...30).map(Numeral.short) == ["0.5", "1", "2", "5", "10", "20"])
        #expect(
            AxisTicks.logarithmic(within: 0.001...300).map(Numeral.short) == [
                "0.001", "0.01", "0.1", "1", "10", "100",
            ])
    }

    @Test("numbers are written as people read them")
    func numbers() {
        let texts = [(0, 0, "0"), (1.005, 1, "1.0"), (0.05, 1, "0.1"), (-0.04, 1, "0.0"), (12.345, 2, "12.35")]
        for (value, places, text) in texts { #expect(Numeral.fixed(value, places: places) == text) }
        #expect(
            [0, 1e-5, -2.54e-7, 0.0123, 4.56, 78.9, 123.4, 56_789, 1_234_567].map(Numeral.short) == [
                "0", "1e-5", "-2.5e-7", "0.0123", "4.56", "78.9", "123", "57k", "1.2M",
            ])
    }
}
