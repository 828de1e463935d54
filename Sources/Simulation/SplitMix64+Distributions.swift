import CLibrary
import SharedValues

extension SplitMix64 {
    /// Above 0 and at most 1.
    mutating func uniform() -> Double { Double((next() >> 11) + 1) / 0x1p53 }

    /// Mean 0, variance 1 (Box and Muller, 1958).
    mutating func normal() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }

    /// Log-normal with the given mean; `sigma` is the logarithm's standard deviation.
    mutating func logNormal(mean: Double, sigma: Double) -> Double {
        exp(log(mean) - sigma * sigma / 2 + sigma * normal())
    }

    /// Gamma with the given shape and mean 1 (Marsaglia and Tsang, 2000).
    mutating func gamma(shape: Double) -> Double {
        guard shape >= 1 else { return gamma(shape: shape + 1) * (shape + 1) / shape * pow(uniform(), 1 / shape) }
        let d = shape - 1.0 / 3
        while true {
            let x = normal()
            let v = pow(1 + x / (9 * d).squareRoot(), 3)
            if v > 0, log(uniform()) < x * x / 2 + d - d * v + d * log(v) { return d * v / shape }
        }
    }
}
