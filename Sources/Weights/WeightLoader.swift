public import Tensors

/// Converts the tensors of one checkpoint format to layouts that kernels support. One of the four plugin seams.
///
/// A loader for 16-bit matrices under another name:
///
/// ```swift
/// struct TransposedLoader: WeightLoader {
///     func linear(
///         _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
///     ) throws(WeightLoadingError) -> LinearWeights {
///         let tensor = try source.tensor(named: name)
///         guard tensor.shape == [inputSize, outputSize] else {
///             throw .shapeMismatch(
///                 file: tensor.file, tensor: name, expected: [inputSize, outputSize], found: tensor.shape)
///         }
///         return .dense(transposed(try tensor.converted(to: .bf16)))
///     }
/// }
/// ```
///
/// `PluginCatalog.builtin()` gives it the name that `model.loader` uses:
///
/// ```swift
/// try catalog.weightLoaders.register("transposed") { _ in TransposedLoader() }
/// ```
public protocol WeightLoader: Sendable {
    /// The matrix `name`, `[outputSize, inputSize]`; `name` is the tensor's, `.weight` included.
    /// Throws `missingTensor`, `shapeMismatch` or `unsupportedType`.
    func linear(
        _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> LinearWeights

    /// The vector `name`, `[count]`, widened to 32 bits. Throws as `linear` does.
    func vector(_ name: String, count: Int, from source: any TensorSource) throws(WeightLoadingError) -> [Float]

    /// Whether the checkpoint has a matrix or vector `name`, under whatever names the format stores it.
    func has(_ name: String, in source: any TensorSource) -> Bool
}

extension WeightLoader {
    /// A vector that is stored as one tensor of this name.
    public func vector(
        _ name: String, count: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> [Float] {
        let tensor = try source.tensor(named: name)
        try tensor.requireShape([count])
        return try tensor.floats()
    }

    /// Whether a tensor has this name.
    public func has(_ name: String, in source: any TensorSource) -> Bool { source.shape(of: name) != nil }
}

extension StoredTensor {
    /// Throws `shapeMismatch` unless the tensor has this shape. A vector may be stored as a matrix of one row, as in
    /// some GGUF files.
    func requireShape(_ expected: [Int]) throws(WeightLoadingError) {
        guard shape == expected || expected.count == 1 && shape == [1] + expected else {
            throw .shapeMismatch(file: file, tensor: name, expected: expected, found: shape)
        }
    }
}

/// The type of dense weights in memory; the configuration's `dtype`.
public enum WeightType: String, Sendable, Hashable, CaseIterable {
    /// The stored type if kernels support it, `f32` for 64-bit floats. The compute type of quantized weights is `bf16`.
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

/// Loads unquantized matrices of 64, 32 or 16-bit numbers.
public struct DenseWeightLoader: WeightLoader {
    private let type: WeightType
    private let progress: LoadingProgress?

    /// Matrices are converted to `type`.
    public init(_ type: WeightType = .auto, progress: LoadingProgress? = nil) {
        self.type = type
        self.progress = progress
    }

    /// The matrix `name`, `[outputSize, inputSize]`, in the requested type.
    public func linear(
        _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> LinearWeights {
        let tensor = try source.tensor(named: name)
        try tensor.requireShape([outputSize, inputSize])
        guard tensor.type.elementType != nil || tensor.type == .f64 else {
            throw .unsupportedType(
                file: tensor.file, tensor: name, type: tensor.type.rawValue, supported: "F32, F16, BF16, F64")
        }
        let converted = try tensor.converted(to: type.elementType(for: tensor.type)) { progress?.advance(by: $0) }
        return .dense(converted)
    }
}

/// Dequantizes the matrices of another loader, exactly and with one rounding. They take more memory, and backends
/// without kernels for their quantized layout can use them.
public struct DequantizingWeightLoader: WeightLoader {
    private let quantized: any WeightLoader
    private let type: WeightType

    /// Dequantizes the matrices of `quantized` to `type`; `auto` means bf16 for quantized ones.
    public init(_ quantized: any WeightLoader, _ type: WeightType = .auto) {
        self.quantized = quantized
        self.type = type
    }

    /// The matrix `name`, dense. Throws what the other loader throws.
    public func linear(
        _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> LinearWeights {
        let weights = try quantized.linear(name, inputSize: inputSize, outputSize: outputSize, from: source)
        guard case .quantized(let matrix) = weights else { return weights }
        defer { matrix.unload() }
        return .dense(matrix.dequantized(as: type.quantizedComputeType))
    }

    /// The vector `name`. Throws what the other loader throws.
    public func vector(_ name: String, count: Int, from source: any TensorSource) throws(WeightLoadingError) -> [Float]
    {
        try quantized.vector(name, count: count, from: source)
    }

    /// Whether the other loader has it.
    public func has(_ name: String, in source: any TensorSource) -> Bool { quantized.has(name, in: source) }
}
