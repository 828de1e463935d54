/// The float of a half's bits, exactly; without the library call that `Float(Float16)` costs where the compiler may
/// not assume the F16C instructions.
///
/// The half's exponent and mantissa move to the float's place; one multiplication by 2¹¹² corrects the exponent's bias
/// and normalises subnormals as well. Infinities and NaNs have their exponent filled up afterwards.
@inlinable
@inline(__always)
public func widenHalf(_ half: UInt16) -> Float {
    let magnitude = UInt32(half & 0x7FFF) << 13
    let finite = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    let bits = magnitude >= 0x0F80_0000 ? magnitude | 0x7F80_0000 : finite
    return Float(bitPattern: bits | UInt32(half & 0x8000) << 16)
}
