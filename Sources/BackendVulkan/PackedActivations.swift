/// What packed weights are multiplied with.
///
/// As integers, the numbers of 32 inputs of a row share one scale, and the device multiplies four bytes at once. It takes
/// `VK_KHR_shader_integer_dot_product`; without it, or where a kernel fails its self-test, activations stay 32-bit floats.
public enum PackedActivations: String, Sendable, CaseIterable {
    /// 32-bit floats.
    case f32
    /// Integers of 22 bits in three bytes: off by at most 2⁻²² of the largest of the 32, as sums in 32-bit floats are.
    case int24
    /// Integers of 15 bits in two bytes: off by at most 2⁻¹⁵ of the largest.
    case int16
    /// Integers of eight bits: off by at most 1/254 of the largest, some thousandths of each operation's result.
    case int8
}
