public import Tensors

/// How a checkpoint format stores quantized matrices.
protocol QuantizationScheme: Sendable {
    /// The tensor, such as `qweight`, that modules with a quantized matrix have instead of `weight`; nil: they have `weight`.
    var codesPart: String? { get }
    /// What stands between the names of a module and of its tensors.
    var partSeparator: String { get }

    /// The matrix of `module`, `[outputSize, inputSize]`; nil: it is dense.
    /// Throws `missingTensor`, `shapeMismatch`, `unsupportedType` or `malformedTensor`.
    func matrix(
        of module: ModuleTensors, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> LinearWeights?
}

extension QuantizationScheme {
    var partSeparator: String { "." }
}

/// Loads checkpoints of Hugging Face whose matrices are quantized. A matrix is dense if the configuration or the checkpoint
/// says so.
public struct QuantizedWeightLoader: WeightLoader {
    private let scheme: any QuantizationScheme
    private let type: WeightType
    private let progress: LoadingProgress?

    /// Dense tensors are converted to `type`, which is also the compute type of quantized ones.
    public init(
        _ configuration: QuantizationConfiguration, _ type: WeightType = .auto, progress: LoadingProgress? = nil
    ) {
        scheme = configuration.scheme
        self.type = type
        self.progress = progress
    }

    /// The matrix `name`, quantized or dense. Throws `malformedTensor` in addition to what the protocol says.
    public func linear(
        _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> LinearWeights {
        let module = module(name, source)
        if let quantized = try scheme.matrix(of: module, inputSize: inputSize, outputSize: outputSize) {
            return quantized
        }
        return try DenseWeightLoader(type, progress: progress).linear(
            name, inputSize: inputSize, outputSize: outputSize, from: source)
    }

    /// Whether the checkpoint has a matrix `name`, quantized or dense.
    public func has(_ name: String, in source: any TensorSource) -> Bool {
        if source.shape(of: name) != nil { return true }
        guard let part = scheme.codesPart else { return false }
        return module(name, source).has(part)
    }

    private func module(_ name: String, _ source: any TensorSource) -> ModuleTensors {
        ModuleTensors(name, in: source, type, separator: scheme.partSeparator, progress: progress)
    }
}
