public import Tensors

/// Loads matrices of GGUF files: block formats as they are stored, each tensor in its own; plain ones as wanted.
public struct GGUFWeightLoader: WeightLoader {
    private let type: WeightType
    private let progress: LoadingProgress?

    /// Plain matrices become `type`, which packed ones count as.
    public init(_ type: WeightType = .auto, progress: LoadingProgress? = nil) {
        self.type = type
        self.progress = progress
    }

    /// The matrix `name`, `[outputSize, inputSize]`, packed where the file has it so.
    public func linear(
        _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> LinearWeights {
        let tensor = try source.tensor(named: name)
        try tensor.requireShape([outputSize, inputSize])
        guard let format = tensor.type.blockFormat else {
            return .dense(try tensor.converted(to: type.elementType(for: tensor.type)) { progress?.advance(by: $0) })
        }
        return .quantized(
            QuantizedMatrix(
                outputSize: outputSize, inputSize: inputSize, layout: .blocks(format), computeType: type.packedType,
                rows: BlockRows(tensor: tensor, progress: progress)))
    }
}
