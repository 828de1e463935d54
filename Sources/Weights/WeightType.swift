public import Tensors

/// What the user wants weights to be in memory; the configuration's `dtype`.
public enum WeightType: String, Sendable, Hashable, CaseIterable {
    /// As stored where kernels know the type; quantized weights become `bf16`, floats of 64 bits `f32`.
    case auto
    case f32, bf16, f16

    /// The element type for a tensor that is stored as `stored`.
    public func elementType(for stored: StoredType) -> ElementType {
        switch self {
        case .auto: stored.elementType ?? (stored == .f64 ? .f32 : .bf16)
        case .f32: .f32
        case .bf16: .bf16
        case .f16: .f16
        }
    }
}
