import SharedValues

/// The random number of one output position, at least 0 and below 1: a function of seed and position alone, so that
/// neither other requests of the batch nor preemption can change a draw.
///
/// The first number of a generator whose seed is the first number of the request's generator, plus the position.
func uniformDraw(seed: UInt64, position: Int) -> Double {
    var request = SplitMix64(seed: seed)
    var draw = SplitMix64(seed: request.next() &+ UInt64(truncatingIfNeeded: position))
    // The upper 53 bits fill a double's mantissa.
    return Double(draw.next() >> 11) * 0x1p-53
}
