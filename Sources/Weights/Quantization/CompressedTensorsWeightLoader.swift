import SharedValues
public import Tensors

/// Loads compressed-tensors' `pack-quantized` layout: `weight_packed` `[out, in * bits / 32]` along inputs, stored with
/// half of the range added, `weight_scale` `[out, groups]`, `weight_zero_point` `[out * bits / 32, groups]` likewise, and
/// `weight_g_idx` `[in]` (vllm-project/compressed-tensors, `compressors/pack_quantized`).
public struct CompressedTensorsWeightLoader: WeightLoader {
    private let configuration: CompressedTensorsConfiguration
    private let type: WeightType
    private let dense: DenseWeightLoader
    private let progress: LoadingProgress?

    /// Dense tensors become `type`, which packed ones count as.
    public init(
        _ configuration: CompressedTensorsConfiguration, _ type: WeightType = .auto, progress: LoadingProgress? = nil
    ) {
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
        guard let scheme = configuration.scheme(of: module.name), module.isPacked("weight_packed") else {
            return try dense.linear(name, inputSize: inputSize, outputSize: outputSize, from: source)
        }
        let (bitCount, perWord) = (scheme.bitCount, 32 / scheme.bitCount)
        let groupSize = try module.groupSize(scheme.groupSize, inputSize: inputSize)
        let groupCount = inputSize.dividedUp(by: groupSize)
        if let shape = try module.optional("weight_shape")?.integers(), shape != [outputSize, inputSize] {
            throw .shapeMismatch(
                file: source.file, tensor: "\(module.name).weight_shape", expected: [outputSize, inputSize],
                found: shape)
        }
        let quanta = try module.words("weight_packed", [outputSize, inputSize.dividedUp(by: perWord)])
        let scales = try module.tensor("weight_scale", [outputSize, groupCount])
        let zeros =
            scheme.isSymmetric
            ? nil
            : PackedTensor(
                try module.words("weight_zero_point", [outputSize.dividedUp(by: perWord), groupCount]),
                bitCount: bitCount, .alongRows)
        let order =
            scheme.hasInputOrder
            ? try InputOrder.read(
                try module.tensor("weight_g_idx", [inputSize]), inputSize: inputSize, groupSize: groupSize) : nil
        let format = GroupFormat(
            bitCount: bitCount, groupSize: groupSize, scaleType: try scales.scaleType(), hasZeros: zeros != nil)
        return module.matrix(
            GroupRows(
                format: format, inputSize: inputSize, orientation: .outputsFirst,
                quanta: PackedTensor(quanta, bitCount: bitCount, .alongColumns), scales: scales, zeros: zeros,
                zeroShift: 0, inputOrder: order, progress: progress), outputSize: outputSize, type)
    }

    /// Whether the checkpoint has a matrix `name`, packed or not.
    public func has(_ name: String, in source: any TensorSource) -> Bool {
        source.shape(of: name) != nil
            || source.shape(of: "\(ModuleTensors(name, in: source).name).weight_packed") != nil
    }
}
