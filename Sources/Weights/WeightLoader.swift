public import Tensors

/// Turns one checkpoint format's tensors into layouts that kernels know. One of the four plugin seams.
public protocol WeightLoader: Sendable {
    /// The matrix `name`, `[outputSize, inputSize]`; `name` is the tensor's, `.weight` included.
    /// Throws `missingTensor`, `shapeMismatch` or `unsupportedType`.
    func linear(
        _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> LinearWeights

    /// The vector `name`, `[count]`, widened to 32 bits. Throws as `linear` does.
    func vector(_ name: String, count: Int, from source: any TensorSource) throws(WeightLoadingError) -> [Float]

    /// Whether the checkpoint has a matrix or vector `name`, however the format spells it.
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
    /// Throws `shapeMismatch` unless the tensor has exactly this shape. A vector may be a matrix of one row, as which some
    /// GGUF files have it.
    func requireShape(_ expected: [Int]) throws(WeightLoadingError) {
        guard shape == expected || expected.count == 1 && shape == [1] + expected else {
            throw .shapeMismatch(file: file, tensor: name, expected: expected, found: shape)
        }
    }
}
