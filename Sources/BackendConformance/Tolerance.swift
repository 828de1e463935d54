import Backends
import Tensors

/// The largest errors against the reference, as mean squared error over the mean square of the reference.
enum Tolerance {
    /// Copies, and single roundings of exact results: at most the last bit differs.
    static let exact = 1e-13

    /// 32-bit arithmetic. A rounding is 2⁻²⁴ at most, 1.2e-15 squared and averaged; sums of some hundred products and
    /// exponentials good to some units in the last place stay below a thousand times that.
    static let single = 1e-11

    /// A linear operation on rounded activations. bf16 keeps eight bits, so one rounding is off by 2⁻⁸ at most, 2⁻¹⁶
    /// squared, and a sum of independent errors keeps the ratio. Four times that, because a few outputs may each be a
    /// sum that cancels; one wrong product in fifteen hundred is ten times more. f16 and 32-bit are far below.
    static func linear(_ weights: ElementType) -> Double { weights == .bf16 ? 4 * 0x1p-16 : single }

    /// Attention over keys and values that all backends round from the same numbers. Only int8 numbers may be off by one
    /// unit, 1/127 of a head's largest number, where a quotient is within a division's error of the middle of two units.
    static func attention(_ cache: CacheType) -> Double { cache == .int8 ? 1e-7 : single }

    /// Keys and values that were computed in 32 bits before they were rounded for the cache: rarely, one falls on the
    /// other side of a rounding boundary and is off by a unit, 2⁻⁸ in bf16.
    static func cached(_ cache: CacheType) -> Double {
        switch cache {
        case .f32: single
        case .f16: 1e-9
        case .bf16: 5e-8
        // A unit is 1/127 of the head's largest number. An error `e` before the rounding becomes a whole unit with
        // probability `e` over the unit, so a bf16 error of 2⁻⁹ or so comes out multiplied by as much again.
        case .int8: 1e-5
        }
    }

    /// A whole layer or two: seven linear operations, each with the error of one, and cached roundings in between.
    static func layers(_ weights: ElementType, _ cache: CacheType) -> Double {
        // A bf16 error of a linear before the cache moves many roundings of keys and values, not a rare one.
        (weights == .bf16 ? 4 * 0x1p-16 : 1e-10) + 10 * cached(cache)
    }
}
