import CLibrary

/// Round numbers along an axis.
enum AxisTicks {
    /// The lower limit of a logarithmic axis.
    static let least = 1e-6

    /// At most six ticks from 0 on, the last one at or above `maximum`; 0 and 1 where `maximum` is not positive.
    static func linear(to maximum: Double) -> [Double] {
        guard maximum > 0 else { return [0, 1] }
        let rough = max(maximum, 1e-9) / 5
        let power = Logarithm.power10(Logarithm.base10(rough).rounded(.down))
        let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999999 } ?? rough
        let count = Int((maximum / step - 1e-9).rounded(.up))
        return (0...max(count, 1)).map { Double($0) * step }
    }

    /// Powers of ten and, where those are few, twice and five times them, within `range`.
    static func logarithmic(within range: ClosedRange<Double>) -> [Double] {
        let least = Logarithm.base10(max(range.lowerBound, Self.least)).rounded(.down)
        let most = Logarithm.base10(max(range.upperBound, Self.least)).rounded(.up)
        let factors: [Double] = most - least > 3 ? [1] : [1, 2, 5]
        return stride(from: least, through: most, by: 1).flatMap { exponent in
            factors.map { $0 * Logarithm.power10(exponent) }
        }.filter { range.contains($0) }
    }
}

/// Decimal logarithms, for axes.
enum Logarithm {
    static func base10(_ value: Double) -> Double { log10(value) }
    static func power10(_ exponent: Double) -> Double { pow(10, exponent) }
}
