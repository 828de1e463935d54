/// The GGUF block formats, widened to 32-bit floats (ggml-common.h for the layouts, ggml-quants.c for the formulas).
///
/// Every product and sum is rounded on its own and in ggml's order, so that results equal its own bit for bit.
extension BlockFormat {
    /// Widens `blockCount` blocks from `source` to `target`, `[blockCount, elementCount]`.
    public func widen(_ source: UnsafeRawPointer, blockCount: Int, to target: UnsafeMutablePointer<Float>) {
        // One switch a call and not one a block: each loop is specialised for its format.
        switch self {
        case .q4_0: loop(source, blockCount, target, Self.q4_0)
        case .q4_1: loop(source, blockCount, target, Self.q4_1)
        case .q5_0: loop(source, blockCount, target, Self.q5_0)
        case .q5_1: loop(source, blockCount, target, Self.q5_1)
        case .q8_0: loop(source, blockCount, target, Self.q8_0)
        case .q4K: loop(source, blockCount, target, Self.q4K)
        case .q5K: loop(source, blockCount, target, Self.q5K)
        case .q6K: loop(source, blockCount, target, Self.q6K)
        }
    }

    @inline(__always)
    private func loop(
        _ source: UnsafeRawPointer, _ blockCount: Int, _ target: UnsafeMutablePointer<Float>,
        _ block: (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void
    ) {
        let (byteCount, elementCount) = (byteCount, elementCount)
        for number in 0..<blockCount { block(source + number &* byteCount, target + number &* elementCount) }
    }

    @inline(__always)
    private static func byte(_ source: UnsafeRawPointer, _ offset: Int) -> UInt8 {
        source.load(fromByteOffset: offset, as: UInt8.self)
    }

    @inline(__always)
    private static func half(_ source: UnsafeRawPointer, _ offset: Int) -> Float {
        widenHalf(UInt16(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    }

    /// Scale, 16 bytes of nibbles: low ones are elements 0 to 15, high ones 16 to 31; `(q - 8) d`.
    @inline(__always)
    private static func q4_0(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
        let scale = half(source, 0)
        for index in 0..<16 {
            let pair = byte(source, 2 &+ index)
            target[index] = Float(Int32(pair & 15) &- 8) * scale
            target[index &+ 16] = Float(Int32(pair >> 4) &- 8) * scale
        }
    }

    /// Scale, minimum, nibbles; `q d + m`.
    @inline(__always)
    private static func q4_1(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
        let (scale, minimum) = (half(source, 0), half(source, 2))
        for index in 0..<16 {
            let pair = byte(source, 4 &+ index)
            target[index] = Float(pair & 15) * scale + minimum
            target[index &+ 16] = Float(pair >> 4) * scale + minimum
        }
    }

    /// The fifth bits of 32 elements, bit `index` of the word at `offset` for element `index`.
    @inline(__always)
    private static func fifthBits(_ source: UnsafeRawPointer, _ offset: Int) -> UInt32 {
        UInt32(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// Scale, fifth bits, nibbles; `(q - 16) d`.
    @inline(__always)
    private static func q5_0(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
        let (scale, fifth) = (half(source, 0), fifthBits(source, 2))
        for index in 0..<16 {
            let pair = UInt32(byte(source, 6 &+ index))
            let low = pair & 15 | (fifth >> UInt32(index) & 1) << 4
            let high = pair >> 4 | (fifth >> UInt32(index &+ 16) & 1) << 4
            target[index] = Float(Int32(bitPattern: low) &- 16) * scale
            target[index &+ 16] = Float(Int32(bitPattern: high) &- 16) * scale
        }
    }

    /// Scale, minimum, fifth bits, nibbles; `q d + m`.
    @inline(__always)
    private static func q5_1(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
        let (scale, minimum, fifth) = (half(source, 0), half(source, 2), fifthBits(source, 4))
        for index in 0..<16 {
            let pair = UInt32(byte(source, 8 &+ index))
            let low = pair & 15 | (fifth >> UInt32(index) & 1) << 4
            let high = pair >> 4 | (fifth >> UInt32(index &+ 16) & 1) << 4
            target[index] = Float(low) * scale + minimum
            target[index &+ 16] = Float(high) * scale + minimum
        }
    }

    /// Scale, 32 signed bytes; `q d`.
    @inline(__always)
    private static func q8_0(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
        let scale = half(source, 0)
        for index in 0..<32 { target[index] = Float(Int8(bitPattern: byte(source, 2 &+ index))) * scale }
    }

    /// Scale and minimum number `index` of eight of `q4K` and `q5K`, six bits each in the twelve bytes at `bytes`.
    @inline(__always)
    public static func scaleAndMinimum(_ bytes: UnsafeRawPointer, _ index: Int) -> (scale: UInt8, minimum: UInt8) {
        guard index >= 4 else { return (byte(bytes, index) & 63, byte(bytes, index &+ 4) & 63) }
        let shared = byte(bytes, index &+ 4)
        return (
            shared & 15 | (byte(bytes, index &- 4) >> 6) << 4,
            shared >> 4 | (byte(bytes, index) >> 6) << 4
        )
    }

    /// Scale, minimum, 12 bytes of scales and minima, 128 bytes of nibbles; `d s q - dmin m`. Each 32 bytes hold the
    /// low nibbles of one group of 32 and the high ones of the next.
    @inline(__always)
    private static func q4K(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
        let (scale, minimum) = (half(source, 0), half(source, 2))
        for pair in 0..<4 {
            let low = scaleAndMinimum(source + 4, 2 &* pair)
            let high = scaleAndMinimum(source + 4, 2 &* pair &+ 1)
            let (lowScale, lowMinimum) = (scale * Float(low.scale), minimum * Float(low.minimum))
            let (highScale, highMinimum) = (scale * Float(high.scale), minimum * Float(high.minimum))
            for index in 0..<32 {
                let nibbles = byte(source, 16 &+ 32 &* pair &+ index)
                target[64 &* pair &+ index] = lowScale * Float(nibbles & 15) - lowMinimum
                target[64 &* pair &+ 32 &+ index] = highScale * Float(nibbles >> 4) - highMinimum
            }
        }
    }

    /// As `q4K`, with 32 bytes between scales and nibbles: bit `g` of byte `i` is the fifth bit of element `i` of
    /// group `g`.
    @inline(__always)
    private static func q5K(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
        let (scale, minimum) = (half(source, 0), half(source, 2))
        for pair in 0..<4 {
            let low = scaleAndMinimum(source + 4, 2 &* pair)
            let high = scaleAndMinimum(source + 4, 2 &* pair &+ 1)
            let (lowScale, lowMinimum) = (scale * Float(low.scale), minimum * Float(low.minimum))
            let (highScale, highMinimum) = (scale * Float(high.scale), minimum * Float(high.minimum))
            for index in 0..<32 {
                let nibbles = byte(source, 48 &+ 32 &* pair &+ index)
                let fifth = byte(source, 16 &+ index) >> UInt8(2 &* pair)
                target[64 &* pair &+ index] = lowScale * Float(nibbles & 15 | (fifth & 1) << 4) - lowMinimum
                target[64 &* pair &+ 32 &+ index] =
                    highScale * Float(nibbles >> 4 | (fifth >> 1 & 1) << 4) - highMinimum
            }
        }
    }

    /// 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales, scale; `d s (q - 32)`. Each half of the
    /// block has four groups of 32 that share its 64 nibble bytes and 32 bit-pair bytes.
    @inline(__always)
    private static func q6K(_ source: UnsafeRawPointer, _ target: UnsafeMutablePointer<Float>) {
        let scale = half(source, 208)
        for part in 0..<2 {
            for group in 0..<4 {
                for index in 0..<32 {
                    let nibbles = byte(source, 64 &* part &+ 32 &* (group & 1) &+ index)
                    let low = group < 2 ? nibbles & 15 : nibbles >> 4
                    let high = byte(source, 128 &+ 32 &* part &+ index) >> UInt8(2 &* group) & 3
                    let groupScale = Int8(
                        bitPattern: byte(source, 192 &+ 8 &* part &+ 2 &* group &+ index / 16))
                    let code = Int32(low | high << 4) &- 32
                    target[128 &* part &+ 32 &* group &+ index] = scale * Float(groupScale) * Float(code)
                }
            }
        }
    }
}
