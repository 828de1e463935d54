#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Random numbers that a seed repeats (SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// A number that looks random and depends on all bits of `value`.
    static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

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
