public import Tensors

/// Loads matrices of GGUF files; block formats are dequantized exactly to 32 bits and rounded once to what is wanted.
public struct GGUFWeightLoader: WeightLoader {
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
        let converted = try tensor.converted(to: type.elementType(for: tensor.type)) { progress?.advance(by: $0) }
        return .dense(converted)
    }
}
