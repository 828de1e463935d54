/// How kernels compute weights from codes: the one description that backends have of a quantized format.
///
/// A code stands for a value, and the inputs of a group share a scale: `weight = scale * value`, or the same with a zero
/// or a minimum. Every stored layout is brought into this form exactly, so a backend has no kernel of its own for a block
/// format. Q6_K, for example, has `bitCount` 6, groups of 16, `.integers(middle: 32)` and `.nestedCentred`.
public struct CodeFormat: Sendable, Hashable {
    /// The number that a code stands for.
    public enum Values: Sendable, Hashable {
        /// The code less `middle`.
        case integers(middle: Int)
        /// Entry number `code`; books of eight entries have them twice.
        case book(SIMD16<Int8>)
        /// The float E4M3 with these eight bits (Micikevicius et al., arXiv 2209.05433); the two codes of NaN count as 480.
        case float8
    }

    /// How a group's scale is stored, and what is added to `scale * value`.
    public enum Scaling: Int, Sendable, Hashable {
        /// One number of `scaleType`.
        case centred
        /// The same, and an integer zero: `scale * (value - zero)`.
        case zeros
        /// Scale and minimum, of f16: `scale * value + minimum`.
        case minimum
        /// `d s value - e m`: d and e of f16 for 256 inputs, s and m of one byte each.
        case nestedMinimum
        /// `d s factor value`: d of f16 for 256 inputs, s of one signed byte.
        case nestedCentred
        /// `d s value - e m`: d and e of f16 for 256 inputs, s and m the lower and the upper half of a byte.
        case nestedNibbles
    }

    /// Bits of a code: 2, 3, 4, 5, 6 or 8.
    public let bitCount: Int
    /// Inputs that share a scale.
    public let groupSize: Int
    public let values: Values
    public let scaling: Scaling
    public let scaleType: ElementType
    /// A power of two; 1 unless scales are nested and centred.
    public let factor: Float

    /// Precondition: without a book, the middle is a code or zero.
    public init(
        bitCount: Int, groupSize: Int, values: Values, scaling: Scaling, scaleType: ElementType = .f16,
        factor: Float = 1
    ) {
        self.bitCount = bitCount
        self.groupSize = groupSize
        self.values = values
        self.scaling = scaling
        self.scaleType = scaleType
        self.factor = factor
    }

    /// Bytes of a group's own scales, as `BlockFormat.unpack` writes them; without a zero.
    public var groupByteCount: Int {
        switch scaling {
        case .centred, .zeros: scaleType.byteCount
        case .minimum: 4
        case .nestedMinimum: 2
        case .nestedCentred, .nestedNibbles: 1
        }
    }

    /// Bytes of the scales that 256 inputs share: f16 numbers.
    public var outerByteCount: Int {
        switch scaling {
        case .centred, .zeros, .minimum: 0
        case .nestedMinimum, .nestedNibbles: 4
        case .nestedCentred: 2
        }
    }

    /// Inputs that share outer scales.
    public static let outerGroupSize = 256
}

extension GroupFormat {
    /// How kernels read it.
    public var codeFormat: CodeFormat {
        CodeFormat(
            bitCount: bitCount, groupSize: groupSize,
            values: isFloat8 ? .float8 : .integers(middle: hasZeros ? 0 : middle),
            scaling: hasZeros ? .zeros : .centred, scaleType: scaleType)
    }
}

extension BlockFormat {
    /// How kernels read it. The books are those of gguf-py's `quants.py`; their scales are made odd integers by a factor:
    /// IQ2's `d (0.5 + s) / 4` is `d (2 s + 1) / 8`.
    public var codeFormat: CodeFormat {
        func blocks(_ bitCount: Int, _ scaling: CodeFormat.Scaling, middle: Int = 0, groupSize: Int = 32) -> CodeFormat
        {
            CodeFormat(
                bitCount: bitCount, groupSize: groupSize, values: .integers(middle: middle), scaling: scaling)
        }
        func book(_ bitCount: Int, _ book: SIMD16<Int8>, groupSize: Int = 32, factor: Float = 1) -> CodeFormat {
            CodeFormat(
                bitCount: bitCount, groupSize: groupSize, values: .book(book), scaling: .nestedCentred, factor: factor)
        }
        return switch self {
        case .q4_0: blocks(4, .centred, middle: 8)
        case .q4_1: blocks(4, .minimum)
        case .q5_0: blocks(5, .centred, middle: 16)
        case .q5_1: blocks(5, .minimum)
        case .q8_0: blocks(8, .centred, middle: 128)
        case .q2K: blocks(2, .nestedNibbles, groupSize: 16)
        case .q3K: blocks(3, .nestedCentred, middle: 4, groupSize: 16)
        case .q4K: blocks(4, .nestedMinimum)
        case .q5K: blocks(5, .nestedMinimum)
        case .q6K: blocks(6, .nestedCentred, middle: 32, groupSize: 16)
        case .iq4NL:
            CodeFormat(bitCount: 4, groupSize: 32, values: .book(CodeBook.nonlinear), scaling: .centred)
        case .iq4XS: book(4, CodeBook.nonlinear)
        case .mxfp4:
            CodeFormat(
                bitCount: 4, groupSize: 32, values: .book(CodeBook.e2m1), scaling: .centred, scaleType: .bf16)
        case .iq3S: book(4, CodeBook.signed(1, 3, 5, 7, 9, 11, 13, 15))
        case .iq3XXS: book(4, CodeBook.signed(4, 12, 20, 28, 36, 44, 52, 62), factor: 0.25)
        case .iq2XXS: book(3, CodeBook.signed(8, 25, 43), factor: 0.125)
        case .iq2XS, .iq2S: book(3, CodeBook.signed(8, 25, 43), groupSize: 16, factor: 0.125)
        case .iq1S: book(3, CodeBook.shifted, factor: 0.125)
        case .iq1M: book(3, CodeBook.shifted, groupSize: 16, factor: 0.125)
        case .tq1_0, .tq2_0: blocks(2, .centred, middle: 1, groupSize: 256)
        }
    }
}

/// The values of codes that are no integers in a row.
enum CodeBook {
    /// IQ4_NL and IQ4_XS.
    static let nonlinear = SIMD16<Int8>(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)

    /// Twice the numbers of the 4-bit float E2M1 (OCP Microscaling Formats 1.0), as ggml has them.
    static let e2m1 = SIMD16<Int8>(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)

    /// IQ1's `8 (g - 1 ± 1/8)`: the two lower bits are g, the third one is set where the eighth is added.
    static let shifted = SIMD16<Int8>(-9, -1, 7, 0, -7, 1, 9, 0, -9, -1, 7, 0, -7, 1, 9, 0)

    /// Eight magnitudes, then their negatives.
    static func signed(
        _ a: Int8, _ b: Int8, _ c: Int8, _ d: Int8, _ e: Int8, _ f: Int8, _ g: Int8, _ h: Int8
    ) -> SIMD16<Int8> {
        SIMD16(a, b, c, d, e, f, g, h, -a, -b, -c, -d, -e, -f, -g, -h)
    }

    /// Three magnitudes, then their negatives four codes later.
    static func signed(_ a: Int8, _ b: Int8, _ c: Int8) -> SIMD16<Int8> {
        SIMD16(a, b, c, 0, -a, -b, -c, 0, a, b, c, 0, -a, -b, -c, 0)
    }
}
