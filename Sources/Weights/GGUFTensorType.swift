/// The tensor types that ggml numbers (ggml.h, `enum ggml_type`).
enum GGUFTensorType {
    /// The type of number `code` where we read it.
    static func storedType(_ code: UInt32) -> StoredType? {
        switch code {
        case 0: .f32
        case 1: .f16
        case 2: .q4_0
        case 3: .q4_1
        case 6: .q5_0
        case 7: .q5_1
        case 8: .q8_0
        case 12: .q4K
        case 13: .q5K
        case 14: .q6K
        case 24: .i8
        case 25: .i16
        case 26: .i32
        case 27: .i64
        case 28: .f64
        case 30: .bf16
        default: nil
        }
    }

    /// ggml's name for type number `code`, for refusals.
    static func name(_ code: UInt32) -> String {
        if let type = storedType(code) { return type.rawValue }
        let names: [UInt32: String] = [
            9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
            20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
        ]
        return names[code] ?? "number \(code)"
    }
}
