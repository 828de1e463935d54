public import Tensors

/// Loads what another loader loads, with packed matrices dequantized exactly and rounded once: more memory, and for
/// backends that know no packed layout.
public struct DequantizingWeightLoader: WeightLoader {
    private let packed: any WeightLoader
    private let type: WeightType

    /// Dequantizes what `packed` loads; matrices become `type`, and `auto` makes packed ones bf16.
    public init(_ packed: any WeightLoader, _ type: WeightType = .auto) {
        self.packed = packed
        self.type = type
    }

    /// The matrix `name`, dense. Throws what the other loader throws.
    public func linear(
        _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> LinearWeights {
        let weights = try packed.linear(name, inputSize: inputSize, outputSize: outputSize, from: source)
        guard case .quantized(let matrix) = weights else { return weights }
        defer { matrix.unload() }
        return .dense(matrix.dequantized(as: type.packedType))
    }

    /// The vector `name`. Throws what the other loader throws.
    public func vector(_ name: String, count: Int, from source: any TensorSource) throws(WeightLoadingError) -> [Float]
    {
        try packed.vector(name, count: count, from: source)
    }

    /// Whether the other loader has it.
    public func has(_ name: String, in source: any TensorSource) -> Bool { packed.has(name, in: source) }
}
