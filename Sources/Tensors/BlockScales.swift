/// Scales of blocks whose other bytes are random: for self-tests and conformance. Any byte is a valid code, but most make
/// no sensible scale.
extension BlockFormat {
    /// Scales for which random codes give weights of about one: what `storeScales` takes.
    public var unitScales: [Float] {
        switch self {
        case .q4_0: [1 / 8]
        case .q4_1: [1 / 8, 1]
        case .q5_0: [1 / 16]
        case .q5_1: [1 / 16, 1]
        case .q8_0: [1 / 128]
        case .q2K: [1 / 16, 1 / 8]
        case .q3K: [1 / 64]
        case .q4K: [1 / 256, 1 / 32]
        case .q5K: [1 / 512, 1 / 32]
        case .q6K: [1 / 2048]
        case .iq4NL: [1 / 64]
        case .iq4XS: [1 / 1024]
        case .mxfp4: [1 / 4]
        case .iq3S, .iq3XXS: [1 / 128]
        case .iq2S, .iq2XS, .iq2XXS: [1 / 64]
        case .iq1S, .iq1M: [1 / 8]
        case .tq1_0, .tq2_0: [1]
        }
    }

    /// Writes the scale of a block, and its minimum where it has one, rounded to what the format stores: f16, and a power
    /// of two for MXFP4.
    public func storeScales(_ scales: [Float], to block: UnsafeMutableRawPointer) {
        func store(_ offsets: [Int]) {
            for (offset, scale) in zip(offsets, scales) { ElementType.f16.store(scale, to: block + offset, at: 0) }
        }
        switch self {
        case .q4_0, .q5_0, .q8_0, .iq4NL, .iq4XS, .iq3S, .iq3XXS, .iq2S, .iq2XS, .iq2XXS, .iq1S: store([0])
        case .q4_1, .q5_1, .q4K, .q5K: store([0, 2])
        case .q2K: store([80, 82])
        case .q3K: store([108])
        case .q6K: store([208])
        case .tq1_0: store([52])
        case .tq2_0: store([64])
        case .mxfp4:
            let exponent = scales[0] == 0 ? 0 : 128 + Int(scales[0].exponent)
            block.storeBytes(of: UInt8(clamping: exponent), as: UInt8.self)
        case .iq1M:
            // A nibble in each of four words, whose other bits are scales.
            let bits = Float16(scales[0]).bitPattern
            for word in 0..<4 {
                let offset = 48 + 2 * word
                let others = block.loadUnaligned(fromByteOffset: offset, as: UInt16.self) & 0x0FFF
                block.storeBytes(
                    of: others | (bits >> UInt16(4 * word) & 15) << 12, toByteOffset: offset, as: UInt16.self)
            }
        }
    }
}
