/// How one number is stored.
public enum ElementType: String, Sendable, Hashable, CaseIterable {
    case f32, f16, bf16

    /// Bytes that one number takes.
    public var byteCount: Int {
        switch self {
        case .f32: 4
        case .f16, .bf16: 2
        }
    }
}
