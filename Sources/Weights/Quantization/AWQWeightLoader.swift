public import Tensors

/// Loads AutoAWQ's GEMM layout: `qweight` `[in, out / 8]`, `qzeros` `[in / group, out / 8]`, both of interleaved 4-bit
/// numbers, and `scales` `[in / group, out]` (casper-hansen/AutoAWQ, `awq/modules/linear/gemm.py`).
public struct AWQWeightLoader: WeightLoader {
    private let configuration: AWQConfiguration
    private let type: WeightType
    private let dense: DenseWeightLoader
    private let progress: LoadingProgress?

    /// Dense tensors become `type`, which packed ones count as.
    public init(_ configuration: AWQConfiguration, _ type: WeightType = .auto, progress: LoadingProgress? = nil) {
        self.configuration = configuration
        self.type = type
        self.progress = progress
        dense = DenseWeightLoader(type, progress: progress)
    }

    /// The matrix `name`, packed unless the configuration or the checkpoint has it dense.
    public func linear(
        _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> LinearWeights {
        let module = ModuleTensors(name, in: source)
        // What the file has counts, where the configuration names a packed module as dense.
        guard module.isPacked("qweight"), configuration.isQuantized(module.name) || module.hasOnly("qweight") else {
            return try dense.linear(name, inputSize: inputSize, outputSize: outputSize, from: source)
        }
        let groupSize = try module.groupSize(configuration.groupSize, inputSize: inputSize, isWhole: true)
        guard outputSize % 8 == 0 else {
            throw module.malformed("qweight", "\(outputSize) outputs are not whole words")
        }
        let groupCount = inputSize / groupSize
        let quanta = try module.words("qweight", [inputSize, outputSize / 8])
        let zeros = try module.words("qzeros", [groupCount, outputSize / 8])
        let scales = try module.tensor("scales", [groupCount, outputSize])
        let format = GroupFormat(
            bitCount: 4, groupSize: groupSize, scaleType: try scales.scaleType(), hasZeros: true)
        return module.matrix(
            GroupRows(
                format: format, inputSize: inputSize, orientation: .outputsLast,
                quanta: PackedTensor(quanta, bitCount: 4, .interleaved), scales: scales,
                zeros: PackedTensor(zeros, bitCount: 4, .interleaved), zeroShift: 0, inputOrder: nil,
                progress: progress), outputSize: outputSize, type)
    }

    /// Whether the checkpoint has a matrix `name`, packed or not.
    public func has(_ name: String, in source: any TensorSource) -> Bool {
        source.shape(of: name) != nil || source.shape(of: "\(ModuleTensors(name, in: source).name).qweight") != nil
    }
}
