/// Random numbers that a seed repeats on every machine (Steele, Lea and Flood, OOPSLA 2014).
///
/// Schedules of simulations, prompts of benchmarks and worlds of tests depend on the numbers, so they never change.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    @usableFromInline var state: UInt64

    @inlinable public init(seed: UInt64) { state = seed }

    @inlinable public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// The generator's finalizer: every bit of `value` changes about half of the result's bits.
    @inlinable public static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1.
    public mutating func next(below bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    /// `count` numbers, evenly between `-bound` and `bound`.
    public mutating func floats(_ count: Int, bound: Float = 1) -> [Float] {
        (0..<count).map { _ in Float.random(in: -bound...bound, using: &self) }
    }
}
