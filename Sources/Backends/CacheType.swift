public import Tensors

/// How cached keys and values are stored.
public enum CacheType: String, Sendable, Hashable, CaseIterable {
    case f32, f16, bf16
    /// Eight bits a number, and a scale for each head of each token: `number = scale * q`, where `scale` is the largest
    /// magnitude of the head over 127 and `q` is rounded to nearest, ties to even.
    case int8

    public init(_ type: ElementType) {
        switch type {
        case .f32: self = .f32
        case .f16: self = .f16
        case .bf16: self = .bf16
        }
    }

    /// The type of each number; nil where a head has a layout of its own.
    public var elementType: ElementType? {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        case .int8: nil
        }
    }

    /// Bytes of one head of one token's keys, or values. Of `int8`: four of the scale, a 32-bit float, and then the
    /// numbers, up to the next multiple of four.
    public func headByteCount(headSize: Int) -> Int {
        elementType.map { $0.byteCount * headSize } ?? 4 + (headSize + 3) / 4 * 4
    }

    /// Bytes of one token's keys, or values, of `layer`: its heads one after another.
    public func tokenByteCount(of layer: CacheLayer) -> Int {
        layer.keyValueHeadCount * headByteCount(headSize: layer.headSize)
    }
}
