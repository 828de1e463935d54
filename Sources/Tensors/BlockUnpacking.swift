/// Where `BlockFormat.unpack` writes the parts of a block.
public struct BlockParts {
    /// `[elementCount]`, one code a byte, in the order of the inputs.
    public let codes: UnsafeMutablePointer<UInt8>
    /// `[groups, groupByteCount]`, the scales of the groups as `CodeFormat.scaling` says.
    public let scales: UnsafeMutableRawPointer
    /// `[outerByteCount]`, the scales that all groups of the block share.
    public let outer: UnsafeMutableRawPointer

    public init(
        codes: UnsafeMutablePointer<UInt8>, scales: UnsafeMutableRawPointer, outer: UnsafeMutableRawPointer
    ) {
        self.codes = codes
        self.scales = scales
        self.outer = outer
    }
}

/// A block as bytes and little-endian numbers.
struct BlockBytes {
    let start: UnsafeRawPointer

    @inline(__always)
    subscript(offset: Int) -> UInt8 { start.load(fromByteOffset: offset, as: UInt8.self) }

    @inline(__always)
    func half(_ offset: Int) -> UInt16 {
        UInt16(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    @inline(__always)
    func word(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}

extension BlockFormat {
    /// Takes a block apart into codes and scales, which `codeFormat` makes weights of (layouts: ggml-common.h).
    public func unpack(_ block: UnsafeRawPointer, to parts: BlockParts) {
        let bytes = BlockBytes(start: block)
        switch self {
        case .q4_0, .iq4NL:
            parts.copyNibbles(bytes, 2)
            parts.scales.copyMemory(from: block, byteCount: 2)
        case .q4_1:
            parts.copyNibbles(bytes, 4)
            parts.scales.copyMemory(from: block, byteCount: 4)
        case .q5_0:
            parts.copyNibbles(bytes, 6, fifthBits: bytes.word(2))
            parts.scales.copyMemory(from: block, byteCount: 2)
        case .q5_1:
            parts.copyNibbles(bytes, 8, fifthBits: bytes.word(4))
            parts.scales.copyMemory(from: block, byteCount: 4)
        case .q8_0:
            // Signed bytes, counted from their middle.
            for index in 0..<32 { parts.codes[index] = bytes[2 &+ index] ^ 0x80 }
            parts.scales.copyMemory(from: block, byteCount: 2)
        case .mxfp4:
            parts.copyNibbles(bytes, 1)
            // Half of 2^(exponent - 127), as the book holds doubled numbers. The first two are subnormal.
            let exponent = UInt16(bytes[0])
            parts.scales.storeBytes(of: exponent < 2 ? 0x20 << exponent : (exponent &- 1) << 7, as: UInt16.self)
        case .q2K: Self.q2K(bytes, parts)
        case .q3K: Self.q3K(bytes, parts)
        case .q4K: Self.q4K(bytes, parts)
        case .q5K: Self.q5K(bytes, parts)
        case .q6K: Self.q6K(bytes, parts)
        case .iq4XS: Self.iq4XS(bytes, parts)
        case .iq3S, .iq3XXS, .iq2S, .iq2XS, .iq2XXS, .iq1S, .iq1M:
            guard let grid else { return }
            var codes = GridBlock()
            codes.read(block, grid)
            codes.writeCodes(grid, grid.packedRows, to: parts)
        case .tq1_0: Self.tq1_0(bytes, parts)
        case .tq2_0:
            parts.copyPairs(bytes, 0)
            parts.scales.copyMemory(from: block + 64, byteCount: 2)
        }
    }

    /// 16 bytes of scales and minima, 64 bytes of bit pairs, both f16.
    private static func q2K(_ bytes: BlockBytes, _ parts: BlockParts) {
        parts.copyPairs(bytes, 16)
        parts.scales.copyMemory(from: bytes.start, byteCount: 16)
        parts.outer.copyMemory(from: bytes.start + 80, byteCount: 4)
    }

    /// 32 bytes of third bits, 64 bytes of bit pairs, sixteen scales of six bits in 12 bytes, f16. Bit `g` of byte `i` is
    /// the third bit of element `i` of the group of 32 number `g`.
    private static func q3K(_ bytes: BlockBytes, _ parts: BlockParts) {
        parts.copyPairs(bytes, 32)
        for group in 0..<8 {
            for index in 0..<32 {
                parts.codes[32 &* group &+ index] |= (bytes[index] >> UInt8(group) & 1) << 2
            }
        }
        for group in 0..<16 {
            let low = bytes[96 &+ group % 8] >> UInt8(group / 8 &* 4) & 15
            let high = bytes[104 &+ group % 4] >> UInt8(group / 4 &* 2) & 3
            let scale = Int8(bitPattern: low | high << 4) &- 32
            parts.scales.storeBytes(of: scale, toByteOffset: group, as: Int8.self)
        }
        parts.outer.copyMemory(from: bytes.start + 108, byteCount: 2)
    }

    /// Both f16, 12 bytes of scales and minima, 128 bytes of nibbles: each 32 bytes have the low nibbles of one group of
    /// 32 and the high ones of the next.
    private static func q4K(_ bytes: BlockBytes, _ parts: BlockParts) {
        copySixBitScales(bytes, parts)
        for group in 0..<8 {
            let (offset, shift) = (16 &+ group / 2 &* 32, UInt8(group % 2 &* 4))
            for index in 0..<32 { parts.codes[32 &* group &+ index] = bytes[offset &+ index] >> shift & 15 }
        }
    }

    /// As `q4K`, with 32 bytes before the nibbles: bit `g` of byte `i` is the fifth bit of element `i` of group `g`.
    private static func q5K(_ bytes: BlockBytes, _ parts: BlockParts) {
        copySixBitScales(bytes, parts)
        for group in 0..<8 {
            let (offset, shift) = (48 &+ group / 2 &* 32, UInt8(group % 2 &* 4))
            for index in 0..<32 {
                parts.codes[32 &* group &+ index] =
                    bytes[offset &+ index] >> shift & 15 | (bytes[16 &+ index] >> UInt8(group) & 1) << 4
            }
        }
    }

    /// 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales, f16. Each half of the block has four groups of
    /// 32 that share its 64 nibble bytes and 32 bit-pair bytes.
    private static func q6K(_ bytes: BlockBytes, _ parts: BlockParts) {
        for group in 0..<8 {
            let (half, part) = (group / 4, group % 4)
            let (offset, shift) = (64 &* half &+ part % 2 &* 32, UInt8(part / 2 &* 4))
            for index in 0..<32 {
                let high = bytes[128 &+ 32 &* half &+ index] >> UInt8(2 &* part) & 3
                parts.codes[32 &* group &+ index] = bytes[offset &+ index] >> shift & 15 | high << 4
            }
        }
        parts.scales.copyMemory(from: bytes.start + 192, byteCount: 16)
        parts.outer.copyMemory(from: bytes.start + 208, byteCount: 2)
    }

    /// f16, the upper bit pairs of eight scales, their nibbles in 4 bytes, 128 bytes of nibbles.
    private static func iq4XS(_ bytes: BlockBytes, _ parts: BlockParts) {
        let highs = bytes.half(2)
        for group in 0..<8 {
            parts.copyNibbles(bytes, 8 &+ 16 &* group, to: 32 &* group)
            let low = bytes[4 &+ group / 2] >> UInt8(group % 2 &* 4) & 15
            let high = UInt8(truncatingIfNeeded: highs >> UInt16(2 &* group) & 3)
            let scale = Int8(bitPattern: low | high << 4) &- 32
            parts.scales.storeBytes(of: scale, toByteOffset: group, as: Int8.self)
        }
        parts.outer.copyMemory(from: bytes.start, byteCount: 2)
    }

    /// 48 bytes of five ternary digits each, 4 bytes of four, f16. A byte is a fraction of 256: its digits come out one
    /// after another when it is multiplied by three, the first one first.
    private static func tq1_0(_ bytes: BlockBytes, _ parts: BlockParts) {
        var target = 0
        for (first, count, digitCount) in [(0, 32, 5), (32, 16, 5), (48, 4, 4)] {
            var power: UInt8 = 1
            for _ in 0..<digitCount {
                for index in first..<first + count {
                    parts.codes[target] = UInt8(truncatingIfNeeded: (UInt16(bytes[index] &* power) &* 3) >> 8)
                    target += 1
                }
                power &*= 3
            }
        }
        parts.scales.copyMemory(from: bytes.start + 52, byteCount: 2)
    }

    /// d and dmin, and from byte 4 on eight scales and eight minima of six bits in twelve bytes.
    private static func copySixBitScales(_ bytes: BlockBytes, _ parts: BlockParts) {
        parts.outer.copyMemory(from: bytes.start, byteCount: 4)
        for group in 0..<8 {
            let (scale, minimum): (UInt8, UInt8)
            if group < 4 {
                (scale, minimum) = (bytes[4 &+ group] & 63, bytes[8 &+ group] & 63)
            } else {
                let shared = bytes[8 &+ group]
                scale = shared & 15 | (bytes[group] >> 6) << 4
                minimum = shared >> 4 | (bytes[4 &+ group] >> 6) << 4
            }
            parts.scales.storeBytes(of: scale, toByteOffset: 2 &* group, as: UInt8.self)
            parts.scales.storeBytes(of: minimum, toByteOffset: 2 &* group &+ 1, as: UInt8.self)
        }
    }
}

extension BlockParts {
    /// 32 codes from `first` on out of 16 bytes: low nibbles are the first 16. `fifthBits` has a bit for each of them.
    @inline(__always)
    fileprivate func copyNibbles(_ bytes: BlockBytes, _ offset: Int, to first: Int = 0, fifthBits: UInt32 = 0) {
        for index in 0..<16 {
            let pair = bytes[offset &+ index]
            codes[first &+ index] = pair & 15 | UInt8(truncatingIfNeeded: fifthBits >> UInt32(index) & 1) << 4
            codes[first &+ index &+ 16] =
                pair >> 4 | UInt8(truncatingIfNeeded: fifthBits >> UInt32(index &+ 16) & 1) << 4
        }
    }

    /// 256 codes out of 64 bytes: 32 bytes hold four groups of 32, two bits of each byte a group, the lowest first.
    @inline(__always)
    fileprivate func copyPairs(_ bytes: BlockBytes, _ offset: Int) {
        for group in 0..<8 {
            let (first, shift) = (offset &+ group / 4 &* 32, UInt8(group % 4 &* 2))
            for index in 0..<32 { codes[32 &* group &+ index] = bytes[first &+ index] >> shift & 3 }
        }
    }
}
