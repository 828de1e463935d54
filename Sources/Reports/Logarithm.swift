import CLibrary

/// Decimal logarithms, for axes.
enum Logarithm {
    static func base10(_ value: Double) -> Double { log10(value) }
    static func power10(_ exponent: Double) -> Double { pow(10, exponent) }
}
