public import Tensors

/// Loads matrices of GGUF files. Quantized tensors keep their block formats; others are converted to the requested
/// type.
public struct GGUFWeightLoader: WeightLoader {
    private let type: WeightType
    private let progress: LoadingProgress?

    /// Unquantized matrices are converted to `type`, which is also the compute type of quantized ones.
    public init(_ type: WeightType = .auto, progress: LoadingProgress? = nil) {
        self.type = type
        self.progress = progress
    }

    /// The matrix `name`, `[outputSize, inputSize]`, quantized if it is in the file.
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
                outputSize: outputSize, inputSize: inputSize, layout: .blocks(format),
                computeType: type.quantizedComputeType,
                rows: BlockRows(tensor: tensor, progress: progress)))
    }
}

/// Rows of a GGUF tensor in the file's block format.
struct BlockRows: QuantizedRows {
    let tensor: StoredTensor
    let progress: LoadingProgress?

    func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
        let rowByteCount = tensor.byteCount / max(tensor.shape[0], 1)
        tensor.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            target.copyMemory(
                from: source + range.lowerBound * rowByteCount, byteCount: range.count * rowByteCount)
        }
        progress?.advance(by: range.count * rowByteCount)
    }

    func unload() { tensor.unload() }
}
