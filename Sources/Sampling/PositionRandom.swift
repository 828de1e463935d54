/// The random number of one output position: a function of seed and position alone, so that neither neighbours nor
/// preemption can change a draw.
///
/// Two rounds of SplitMix64's finalizer (Steele, Lea and Flood, OOPSLA 2014), one for each of the two.
func uniformDraw(seed: UInt64, position: Int) -> Double {
    let mixed = mix(mix(seed) &+ UInt64(truncatingIfNeeded: position))
    // The upper 53 bits fill a double's mantissa: [0, 1).
    return Double(mixed >> 11) * 0x1p-53
}

private func mix(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
}
