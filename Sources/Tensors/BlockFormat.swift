/// A block format of GGUF: the scales and codes of 32 or 256 numbers, in a block of bytes (ggml-common.h). Raw values
/// are ggml's names.
public enum BlockFormat: String, Sendable, Hashable, CaseIterable {
    case q4_0 = "Q4_0"
    case q4_1 = "Q4_1"
    case q5_0 = "Q5_0"
    case q5_1 = "Q5_1"
    case q8_0 = "Q8_0"
    case q2K = "Q2_K"
    case q3K = "Q3_K"
    case q4K = "Q4_K"
    case q5K = "Q5_K"
    case q6K = "Q6_K"
    case iq4NL = "IQ4_NL"
    case iq4XS = "IQ4_XS"
    case mxfp4 = "MXFP4"
    case iq3S = "IQ3_S"
    case iq3XXS = "IQ3_XXS"
    case iq2S = "IQ2_S"
    case iq2XS = "IQ2_XS"
    case iq2XXS = "IQ2_XXS"
    case iq1S = "IQ1_S"
    case iq1M = "IQ1_M"
    case tq1_0 = "TQ1_0"
    case tq2_0 = "TQ2_0"

    /// Numbers in a block.
    public var elementCount: Int {
        switch self {
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4NL, .mxfp4: 32
        case .q2K, .q3K, .q4K, .q5K, .q6K, .iq4XS, .iq3S, .iq3XXS, .iq2S, .iq2XS, .iq2XXS, .iq1S, .iq1M, .tq1_0,
            .tq2_0:
            256
        }
    }

    public var byteCount: Int {
        switch self {
        case .q4_0, .iq4NL: 2 + 16
        case .q4_1: 2 + 2 + 16
        case .q5_0: 2 + 4 + 16
        case .q5_1: 2 + 2 + 4 + 16
        case .q8_0: 2 + 32
        case .q2K: 16 + 64 + 2 + 2
        case .q3K: 32 + 64 + 12 + 2
        case .q4K: 2 + 2 + 12 + 128
        case .q5K: 2 + 2 + 12 + 32 + 128
        case .q6K: 128 + 64 + 16 + 2
        case .iq4XS: 2 + 2 + 4 + 128
        case .mxfp4: 1 + 16
        case .iq3S: 2 + 64 + 8 + 32 + 4
        case .iq3XXS: 2 + 64 + 32
        case .iq2S: 2 + 32 + 32 + 8 + 8
        case .iq2XS: 2 + 64 + 8
        case .iq2XXS: 2 + 64
        case .iq1S: 2 + 32 + 16
        case .iq1M: 32 + 16 + 8
        case .tq1_0: 48 + 4 + 2
        case .tq2_0: 64 + 2
        }
    }

    /// ggml's number of the type (ggml.h, `enum ggml_type`).
    public var ggmlCode: UInt32 {
        switch self {
        case .q4_0: 2
        case .q4_1: 3
        case .q5_0: 6
        case .q5_1: 7
        case .q8_0: 8
        case .q2K: 10
        case .q3K: 11
        case .q4K: 12
        case .q5K: 13
        case .q6K: 14
        case .iq2XXS: 16
        case .iq2XS: 17
        case .iq3XXS: 18
        case .iq1S: 19
        case .iq4NL: 20
        case .iq3S: 21
        case .iq2S: 22
        case .iq4XS: 23
        case .iq1M: 29
        case .tq1_0: 34
        case .tq2_0: 35
        case .mxfp4: 39
        }
    }
}
