/// The upper half of a 32-bit float: eight exponent bits, seven of mantissa.
///
/// Conversion to it rounds to nearest, ties to even; a NaN stays a NaN.
@frozen
public struct BFloat16: Sendable, Hashable {
    public var bitPattern: UInt16

    @inlinable
    public init(bitPattern: UInt16) {
        self.bitPattern = bitPattern
    }

    /// The nearest representable value.
    @inlinable
    public init(_ value: Float) {
        let bits = value.bitPattern
        guard value == value else {
            bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x0040
            return
        }
        bitPattern = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    }

    /// The same value, exactly.
    @inlinable
    public var float: Float { Float(bitPattern: UInt32(bitPattern) << 16) }
}

extension ElementType {
    /// The number at `index` of `source`, widened to 32 bits exactly.
    @inlinable
    public func load(_ source: UnsafeRawPointer, at index: Int) -> Float {
        switch self {
        case .f32: source.loadUnaligned(fromByteOffset: index &* 4, as: Float.self)
        case .f16: Float(source.loadUnaligned(fromByteOffset: index &* 2, as: Float16.self))
        case .bf16:
            BFloat16(bitPattern: source.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)).float
        }
    }

    /// Writes `value`, rounded to the nearest representable one, at `index` of `target`.
    @inlinable
    public func store(_ value: Float, to target: UnsafeMutableRawPointer, at index: Int) {
        switch self {
        case .f32: target.storeBytes(of: value, toByteOffset: index &* 4, as: Float.self)
        case .f16: target.storeBytes(of: Float16(value), toByteOffset: index &* 2, as: Float16.self)
        case .bf16: target.storeBytes(of: BFloat16(value).bitPattern, toByteOffset: index &* 2, as: UInt16.self)
        }
    }
}

extension Float {
    /// The float E4M3 with the bits `code` (Micikevicius et al., arXiv 2209.05433), exactly; the two codes of NaN count as
    /// 480.
    public init(float8 code: UInt8) {
        let magnitude = Float(bitPattern: UInt32(code & 0x7F) << 20) * 0x1p120
        self = code & 0x80 == 0 ? magnitude : -magnitude
    }
}

/// The 32-bit float of an f16's bits, exactly. `Float(Float16)` costs a library call where the compiler may not assume the
/// F16C instructions; this does not.
///
/// The exponent and mantissa are shifted to those of a 32-bit float. One multiplication by 2¹¹² corrects the bias of the
/// exponent and normalises subnormals. Infinities and NaNs get their exponent afterwards.
@inlinable
@inline(__always)
public func widenHalf(_ half: UInt16) -> Float {
    let magnitude = UInt32(half & 0x7FFF) << 13
    let finite = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    let bits = magnitude >= 0x0F80_0000 ? magnitude | 0x7F80_0000 : finite
    return Float(bitPattern: bits | UInt32(half & 0x8000) << 16)
}
