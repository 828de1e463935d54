/// A seeded generator (Steele, Lea and Flood, OOPSLA 2014), so that a failing run can be repeated.
public struct RandomNumbers: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// The generator that `seed` names.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1.
    public mutating func next(below bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
