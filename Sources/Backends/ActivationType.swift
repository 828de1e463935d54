/// What packed weights are multiplied with.
///
/// As integers, the numbers of 32 inputs of a row share one scale, and the device multiplies several of them at once. A
/// device without such products has only 32-bit floats.
public enum ActivationType: String, Sendable, CaseIterable {
    /// 32-bit floats, or what a backend has that is as exact as the weights' `computeType` asks.
    case f32
    /// Integers of 22 bits in three bytes: off by at most 2⁻²² of the largest of the 32, as sums in 32-bit floats are.
    case int24
    /// Integers of 15 bits in two bytes: off by at most 2⁻¹⁵ of the largest; rounding to bf16 is off by 2⁻⁹.
    case int16
    /// Integers of eight bits: off by at most 1/254 of the largest, some thousandths of each operation's result.
    case int8

    /// Bytes of an integer; nil where numbers stay floats.
    public var byteCount: Int? {
        switch self {
        case .f32: nil
        case .int24: 3
        case .int16: 2
        case .int8: 1
        }
    }
}
