public import Tensors

/// Loads matrices whose numbers are stored one by one in 64, 32 or 16 bits: Hugging Face checkpoints.
public struct DenseWeightLoader: WeightLoader {
    private let type: WeightType
    private let progress: LoadingProgress?

    /// Matrices become `type`.
    public init(_ type: WeightType = .auto, progress: LoadingProgress? = nil) {
        self.type = type
        self.progress = progress
    }

    /// The matrix `name`, `[outputSize, inputSize]`, as the type wanted.
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
