internal import Tensors

/// The tensors into which a quantized checkpoint has taken one module's matrix apart.
struct ModuleTensors {
    /// The module: the matrix's name without `.weight`.
    let name: String
    private let source: any TensorSource

    /// Those of the matrix `matrix`.
    init(_ matrix: String, in source: any TensorSource) {
        name = matrix.hasSuffix(".weight") ? String(matrix.dropLast(7)) : matrix
        self.source = source
    }

    /// Whether the module has the tensor `part`, and no dense matrix.
    func isPacked(_ part: String) -> Bool {
        source.shape(of: "\(name).\(part)") != nil || source.shape(of: "\(name).weight") == nil
    }

    /// Whether the module has the tensor `part`, and no dense matrix beside it.
    func hasOnly(_ part: String) -> Bool {
        source.shape(of: "\(name).\(part)") != nil && source.shape(of: "\(name).weight") == nil
    }

    /// The tensor `part`; nil when there is none.
    func optional(_ part: String) throws(WeightLoadingError) -> StoredTensor? {
        source.shape(of: "\(name).\(part)") == nil ? nil : try source.tensor(named: "\(name).\(part)")
    }

    /// The tensor `part` of exactly this shape. Throws `missingTensor` or `shapeMismatch`.
    func tensor(_ part: String, _ shape: [Int]) throws(WeightLoadingError) -> StoredTensor {
        let tensor = try source.tensor(named: "\(name).\(part)")
        try tensor.requireShape(shape)
        return tensor
    }

    /// The same, of 32-bit words. Throws `unsupportedType` as well.
    func words(_ part: String, _ shape: [Int]) throws(WeightLoadingError) -> StoredTensor {
        let tensor = try tensor(part, shape)
        try tensor.requireWords()
        return tensor
    }

    /// Inputs that share a scale: `stated`, or all of them. The last group may have fewer, unless `isWhole`: then this throws
    /// `malformedTensor`.
    func groupSize(_ stated: Int?, inputSize: Int, isWhole: Bool = false) throws(WeightLoadingError) -> Int {
        guard let stated else { return inputSize }
        guard inputSize % stated == 0 || !isWhole else {
            throw malformed("scales", "groups of \(stated) do not divide its \(inputSize) inputs")
        }
        return min(stated, inputSize)
    }

    /// The error that `part` is malformed.
    func malformed(_ part: String, _ reason: String) -> WeightLoadingError {
        .malformedTensor(file: source.file, tensor: "\(name).\(part)", reason: reason)
    }

    /// The matrix of `rows`; dequantized where its groups are smaller than the 32 inputs that kernels take at a time, as a
    /// scale must not change in between.
    func matrix(_ rows: GroupRows, outputSize: Int, _ type: WeightType) -> LinearWeights {
        let matrix = QuantizedMatrix(
            outputSize: outputSize, inputSize: rows.inputSize, layout: .groups(rows.format),
            inputOrder: rows.inputOrder, computeType: type.packedType, rows: rows)
        guard rows.format.groupSize % 32 != 0, rows.format.groupSize < rows.inputSize else { return .quantized(matrix) }
        defer { matrix.unload() }
        return .dense(matrix.dequantized(as: type.packedType))
    }
}

extension WeightType {
    /// What packed weights count as: activations may be rounded to it, and the cache follows it.
    var packedType: ElementType {
        switch self {
        case .auto, .bf16: .bf16
        case .f32: .f32
        case .f16: .f16
        }
    }
}
