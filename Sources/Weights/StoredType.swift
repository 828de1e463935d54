public import Tensors

/// How a checkpoint stores the numbers of one tensor. Raw values are the formats' own names.
public enum StoredType: String, Sendable, Hashable, CaseIterable {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case f64 = "F64"
    case i8 = "I8"
    case i16 = "I16"
    case i32 = "I32"
    case i64 = "I64"
    case u8 = "U8"
    case u16 = "U16"
    case u32 = "U32"
    case u64 = "U64"
    case bool = "BOOL"
    case c64 = "C64"
    case f8E4M3 = "F8_E4M3"
    case f8E5M2 = "F8_E5M2"
    case f8E8M0 = "F8_E8M0"
    // GGUF block formats (ggml-common.h).
    case q4_0 = "Q4_0"
    case q4_1 = "Q4_1"
    case q5_0 = "Q5_0"
    case q5_1 = "Q5_1"
    case q8_0 = "Q8_0"
    case q4K = "Q4_K"
    case q5K = "Q5_K"
    case q6K = "Q6_K"

    /// The block format; nil for plain types.
    public var blockFormat: BlockFormat? {
        switch self {
        case .q4_0: .q4_0
        case .q4_1: .q4_1
        case .q5_0: .q5_0
        case .q5_1: .q5_1
        case .q8_0: .q8_0
        case .q4K: .q4K
        case .q5K: .q5K
        case .q6K: .q6K
        default: nil
        }
    }

    /// Numbers in a block; 1 for plain types.
    public var blockElementCount: Int { blockFormat?.elementCount ?? 1 }

    /// Bytes of a block.
    public var blockByteCount: Int {
        switch self {
        case .i8, .u8, .bool, .f8E4M3, .f8E5M2, .f8E8M0: 1
        case .f16, .bf16, .i16, .u16: 2
        case .f32, .i32, .u32: 4
        case .f64, .i64, .u64, .c64: 8
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4K, .q5K, .q6K: blockFormat?.byteCount ?? 0
        }
    }

    /// The same type where kernels know it; nil for the others.
    public var elementType: ElementType? {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        default: nil
        }
    }

    /// Whether numbers of this type can become others: all floats but those of eight bits, whose scales stand elsewhere.
    var isConvertible: Bool { elementType != nil || self == .f64 || isQuantized }

    /// Whether several numbers share a scale.
    public var isQuantized: Bool { blockFormat != nil }
}
