/// How the IQ1, IQ2 and IQ3 formats store codes: not one by one, but for eight or four neighbours an index of a row of a
/// grid, which has their magnitudes, and beside it their signs.
///
/// A backend can execute them as they are, or take the codes of each input from `BlockFormat.unpack`, which are larger.
public enum GridFormat: Int, Sendable, Hashable, CaseIterable {
    case iq2XXS, iq2XS, iq2S, iq3XXS, iq3S, iq1S, iq1M

    /// Inputs that share an index: 8 or 4.
    public var inputsPerIndex: Int { self == .iq3XXS || self == .iq3S ? 4 : 8 }

    /// Bits of an index above the lowest eight.
    public var upperBitCount: Int {
        switch self {
        case .iq2XXS, .iq3XXS: 0
        case .iq2XS, .iq3S: 1
        case .iq2S: 2
        case .iq1S, .iq1M: 3
        }
    }

    /// Whether each input has a sign of its own. IQ1 has one sign for eight inputs instead: that of an eighth that is added
    /// to all of them.
    public var hasSigns: Bool { self != .iq1S && self != .iq1M }

    /// Groups of 32 inputs that have a scale of their own: 1 or 2.
    public var groupsPerSlice: Int {
        switch self {
        case .iq2XXS, .iq3XXS, .iq3S, .iq1S: 1
        case .iq2XS, .iq2S, .iq1M: 2
        }
    }

    /// The rows, two to a word, the first one lowest: an index into the magnitudes for each input, of two bits where eight
    /// inputs share a row, and of three where four do.
    public var rows: [UInt32] {
        packedRows.flatMap { [UInt32(truncatingIfNeeded: $0), UInt32(truncatingIfNeeded: $0 >> 32)] }
    }

    /// The same, four to a word.
    var packedRows: [UInt64] {
        switch self {
        case .iq2XXS: CodeGrids.iq2XXS
        case .iq2XS: CodeGrids.iq2XS
        case .iq2S: CodeGrids.iq2S
        case .iq3XXS: CodeGrids.iq3XXS
        case .iq3S: CodeGrids.iq3S
        case .iq1S, .iq1M: CodeGrids.iq1
        }
    }
}

extension BlockFormat {
    /// The grid whose rows the codes are; nil: codes are stored one by one.
    public var grid: GridFormat? {
        switch self {
        case .iq2XXS: .iq2XXS
        case .iq2XS: .iq2XS
        case .iq2S: .iq2S
        case .iq3XXS: .iq3XXS
        case .iq3S: .iq3S
        case .iq1S: .iq1S
        case .iq1M: .iq1M
        default: nil
        }
    }
}

/// A block of 256 inputs, taken apart into indices, signs and scales.
public struct GridBlock {
    /// The index of each eight or four inputs; the others are not used.
    public private(set) var indices = SIMD64<UInt16>()
    /// For each eight inputs their signs, the first one lowest. IQ1: one where an eighth is added, zero where one is
    /// subtracted.
    public private(set) var signs = SIMD32<UInt8>()
    /// The scale `s` of each group; it counts as `2 s + 1`.
    public private(set) var scales = SIMD16<UInt8>()
    /// The bits of the f16 that all groups share.
    public private(set) var outer: UInt16 = 0

    public init() {}

    /// Reads the block at `block` (layouts: ggml-common.h).
    public mutating func read(_ block: UnsafeRawPointer, _ grid: GridFormat) {
        let bytes = BlockBytes(start: block)
        outer = grid == .iq1M ? 0 : bytes.half(0)
        switch grid {
        case .iq2XXS: readIQ2XXS(bytes)
        case .iq2XS: readIQ2XS(bytes)
        case .iq2S: readIQ2S(bytes)
        case .iq3XXS: readIQ3XXS(bytes)
        case .iq3S: readIQ3S(bytes)
        case .iq1S: readIQ1S(bytes)
        case .iq1M: readIQ1M(bytes)
        }
    }

    /// f16, then for each 32 inputs four indices of 8 bits and a word of four signs of 7 bits and a scale.
    private mutating func readIQ2XXS(_ bytes: BlockBytes) {
        for group in 0..<8 {
            let word = bytes.word(6 &+ 8 &* group)
            for octet in 0..<4 {
                indices[4 &* group &+ octet] = UInt16(bytes[2 &+ 8 &* group &+ octet])
                signs[4 &* group &+ octet] = Self.signs(word >> UInt32(7 &* octet))
            }
            scales[group] = UInt8(truncatingIfNeeded: word >> 28)
        }
    }

    /// f16, 32 words of an index of 9 bits and signs of 7, sixteen nibbles of scales.
    private mutating func readIQ2XS(_ bytes: BlockBytes) {
        for octet in 0..<32 {
            let word = bytes.half(2 &+ 2 &* octet)
            indices[octet] = word & 511
            signs[octet] = Self.signs(UInt32(word >> 9))
        }
        readNibbles(bytes, 66, count: 16)
    }

    /// f16, the low bytes of 32 indices, 32 bytes of signs, the upper bit pairs of the indices, sixteen nibbles of scales.
    private mutating func readIQ2S(_ bytes: BlockBytes) {
        for octet in 0..<32 {
            let upper = UInt16(bytes[66 &+ octet / 4] >> UInt8(octet % 4 &* 2) & 3)
            indices[octet] = UInt16(bytes[2 &+ octet]) | upper << 8
            signs[octet] = bytes[34 &+ octet]
        }
        readNibbles(bytes, 74, count: 16)
    }

    /// f16, 64 indices of 8 bits, then for each 32 inputs four signs of 7 bits and a scale.
    private mutating func readIQ3XXS(_ bytes: BlockBytes) {
        for quad in 0..<64 { indices[quad] = UInt16(bytes[2 &+ quad]) }
        for group in 0..<8 {
            let word = bytes.word(66 &+ 4 &* group)
            for octet in 0..<4 { signs[4 &* group &+ octet] = Self.signs(word >> UInt32(7 &* octet)) }
            scales[group] = UInt8(truncatingIfNeeded: word >> 28)
        }
    }

    /// f16, the low bytes of 64 indices, their ninth bits, 32 bytes of signs, eight nibbles of scales.
    private mutating func readIQ3S(_ bytes: BlockBytes) {
        for quad in 0..<64 {
            let upper = UInt16(bytes[66 &+ quad / 8] >> UInt8(quad % 8) & 1)
            indices[quad] = UInt16(bytes[2 &+ quad]) | upper << 8
        }
        for octet in 0..<32 { signs[octet] = bytes[74 &+ octet] }
        readNibbles(bytes, 106, count: 8)
    }

    /// f16, the low bytes of 32 indices, then for each 32 inputs their upper three bits, a scale of three, and a bit that
    /// is set where an eighth is subtracted.
    private mutating func readIQ1S(_ bytes: BlockBytes) {
        for group in 0..<8 {
            let word = bytes.half(34 &+ 2 &* group)
            for octet in 0..<4 {
                let upper = word >> UInt16(3 &* octet) & 7
                indices[4 &* group &+ octet] = UInt16(bytes[2 &+ 4 &* group &+ octet]) | upper << 8
                signs[4 &* group &+ octet] = word & 0x8000 == 0 ? 1 : 0
            }
            scales[group] = UInt8(truncatingIfNeeded: word >> 12 & 7)
        }
    }

    /// The low bytes of 32 indices, for each of them a nibble of its upper bits and a bit that is set where an eighth is
    /// subtracted, then four words of four scales of three bits each and a nibble of the f16.
    private mutating func readIQ1M(_ bytes: BlockBytes) {
        for octet in 0..<32 {
            let nibble = bytes[32 &+ octet / 2] >> UInt8(octet % 2 &* 4) & 15
            indices[octet] = UInt16(bytes[octet]) | UInt16(nibble & 7) << 8
            signs[octet] = nibble & 8 == 0 ? 1 : 0
        }
        for word in 0..<4 {
            let bits = bytes.half(48 &+ 2 &* word)
            outer |= (bits >> 12) << UInt16(4 &* word)
            for index in 0..<4 {
                scales[4 &* word &+ index] = UInt8(truncatingIfNeeded: bits >> UInt16(3 &* index) & 7)
            }
        }
    }

    private mutating func readNibbles(_ bytes: BlockBytes, _ offset: Int, count: Int) {
        for group in 0..<count { scales[group] = bytes[offset &+ group / 2] >> UInt8(group % 2 &* 4) & 15 }
    }

    /// Eight signs of which seven are stored: an even number of them is set.
    private static func signs(_ stored: UInt32) -> UInt8 {
        let seven = UInt8(truncatingIfNeeded: stored & 127)
        return seven | UInt8(truncatingIfNeeded: seven.nonzeroBitCount & 1) << 7
    }
}

extension GridBlock {
    /// Writes a code for each input, an entry of the format's book: an index into the magnitudes, and above it the sign.
    func writeCodes(_ grid: GridFormat, _ rows: [UInt64], to parts: BlockParts) {
        let inputs = grid.inputsPerIndex
        let width = inputs == 8 ? 2 : 3
        for index in 0..<256 / inputs {
            let number = Int(indices[index])
            let row = UInt16(truncatingIfNeeded: rows[number / 4] >> UInt64(number % 4 &* 16))
            for place in 0..<inputs {
                let input = index &* inputs &+ place
                let sign = grid.hasSigns ? signs[input / 8] >> UInt8(input % 8) & 1 : signs[input / 8]
                let magnitude = UInt8(truncatingIfNeeded: row >> UInt16(width &* place)) & (1 << width &- 1)
                parts.codes[input] = magnitude | sign << UInt8(width)
            }
        }
        for group in 0..<8 &* grid.groupsPerSlice {
            parts.scales.storeBytes(of: 2 &* scales[group] &+ 1, toByteOffset: group, as: UInt8.self)
        }
        parts.outer.storeBytes(of: outer.littleEndian, as: UInt16.self)
    }
}
