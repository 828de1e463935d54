/// The type of activations that are multiplied with quantized weights.
///
/// Integers of 32 inputs of a row share one scale, and a device multiplies several of them at once. A device without
/// integer products has 32-bit floats only.
public enum ActivationType: String, Sendable, CaseIterable {
    /// 32-bit floats, or a type of the backend's choice that is at least as exact as the weights' compute type.
    case f32
    /// Integers of 22 bits in three bytes. The error is at most 2⁻²² of the largest of the 32, like that of 32-bit sums.
    case int24
    /// Integers of 15 bits in two bytes. The error is at most 2⁻¹⁵ of the largest; that of bf16 is 2⁻⁹ of each.
    case int16
    /// Integers of eight bits. The error is at most 1/254 of the largest, some thousandths of an operation's result.
    case int8

    /// Bytes of an integer; nil for floats.
    public var byteCount: Int? {
        switch self {
        case .f32: nil
        case .int24: 3
        case .int16: 2
        case .int8: 1
        }
    }
}
