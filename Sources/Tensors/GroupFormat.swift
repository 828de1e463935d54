import SharedValues

/// How a row of a group-quantized matrix is stored: `weight = scale * (code - zero)`, with one scale and one zero
/// for each group of neighbouring inputs (Frantar et al., arXiv 2210.17323, and Lin et al., arXiv 2306.00978).
///
/// A row is three runs, each padded to four bytes: codes as one stream of bits, lowest first, in 32-bit words; zeros in the
/// same way, if there are any; scales. So a word has eight 4-bit codes, and a 3-bit code may span two words.
public struct GroupFormat: Sendable, Hashable {
    /// The code sizes that kernels know.
    public static let bitCounts = [2, 3, 4, 8]

    /// Bits of a code: 2, 3, 4 or 8.
    public let bitCount: Int
    /// Inputs that share a scale; the last group of a row may have fewer.
    public let groupSize: Int
    public let scaleType: ElementType
    /// Whether zeros are stored; if not, every zero is the middle of the codes' range, `2^(bitCount - 1)`.
    public let hasZeros: Bool
    /// Whether codes are no integers, but the bits of E4M3 floats: `weight = scale * float`.
    public let isFloat8: Bool

    /// Precondition: a bit count from `bitCounts`, and at least one input in a group; floats have eight bits and no zeros.
    public init(
        bitCount: Int, groupSize: Int, scaleType: ElementType, hasZeros: Bool, isFloat8: Bool = false
    ) {
        precondition(Self.bitCounts.contains(bitCount) && groupSize > 0, "not a group format")
        precondition(!isFloat8 || bitCount == 8 && !hasZeros, "not a format of floats")
        self.isFloat8 = isFloat8
        self.bitCount = bitCount
        self.groupSize = groupSize
        self.scaleType = scaleType
        self.hasZeros = hasZeros
    }

    /// The zero of every group if none are stored.
    public var middle: Int { 1 << (bitCount - 1) }

    /// Groups of a row of `inputSize` numbers.
    public func groupCount(inputSize: Int) -> Int { inputSize.dividedUp(by: groupSize) }

    /// The byte offset of the zeros in a row: after the codes.
    public func zeroByteOffset(inputSize: Int) -> Int { wordCount(inputSize) * 4 }

    /// The byte offset of the scales in a row: after the zeros.
    public func scaleByteOffset(inputSize: Int) -> Int {
        zeroByteOffset(inputSize: inputSize) + (hasZeros ? wordCount(groupCount(inputSize: inputSize)) * 4 : 0)
    }

    /// Bytes of a row of `inputSize` numbers.
    public func rowByteCount(inputSize: Int) -> Int {
        let scales = groupCount(inputSize: inputSize) * scaleType.byteCount
        return scaleByteOffset(inputSize: inputSize) + (scales + 3) / 4 * 4
    }

    private func wordCount(_ count: Int) -> Int { (count * bitCount + 31) / 32 }

    /// Widens one stored row to `target`, `[inputSize]`, exactly where a scale has no more than 16 bits.
    func widen(_ row: UnsafeRawPointer, inputSize: Int, to target: UnsafeMutablePointer<Float>) {
        var codes = BitReader(row, bitCount: bitCount)
        var zeros = BitReader(row + zeroByteOffset(inputSize: inputSize), bitCount: bitCount)
        let scales = row + scaleByteOffset(inputSize: inputSize)
        var start = 0
        for group in 0..<groupCount(inputSize: inputSize) {
            let scale = scaleType.load(scales, at: group)
            let zero = hasZeros ? Int32(truncatingIfNeeded: zeros.next()) : Int32(truncatingIfNeeded: middle)
            let end = min(start + groupSize, inputSize)
            if isFloat8 {
                for index in start..<end {
                    target[index] = Float(float8: UInt8(truncatingIfNeeded: codes.next())) * scale
                }
                start = end
                continue
            }
            for index in start..<end {
                target[index] = Float(Int32(truncatingIfNeeded: codes.next()) &- zero) * scale
            }
            start = end
        }
    }
}
