import JSON
public import Tensors

/// Loads AutoAWQ's GEMM layout: `qweight` `[in, out / 8]`, `qzeros` `[in / group, out / 8]`, both of interleaved 4-bit
/// numbers, and `scales` `[in / group, out]` (casper-hansen/AutoAWQ, `awq/modules/linear/gemm.py`).
public struct AWQWeightLoader: WeightLoader {
    private let configuration: AWQConfiguration
    private let type: WeightType
    private let dense: DenseWeightLoader
    private let progress: LoadingProgress?

    /// Dense tensors are converted to `type`, which is also the compute type of quantized ones.
    public init(_ configuration: AWQConfiguration, _ type: WeightType = .auto, progress: LoadingProgress? = nil) {
        self.configuration = configuration
        self.type = type
        self.progress = progress
        dense = DenseWeightLoader(type, progress: progress)
    }

    /// The matrix `name`: dense if the configuration or the checkpoint says so, otherwise quantized.
    public func linear(
        _ name: String, inputSize: Int, outputSize: Int, from source: any TensorSource
    ) throws(WeightLoadingError) -> LinearWeights {
        let module = ModuleTensors(name, in: source)
        // A module whose only matrix is quantized is loaded, even if the configuration lists it as dense.
        guard module.isQuantized("qweight"), configuration.isQuantized(module.name) || module.hasOnly("qweight") else {
            return try dense.linear(name, inputSize: inputSize, outputSize: outputSize, from: source)
        }
        let groupSize = try module.groupSize(configuration.groupSize, inputSize: inputSize, isWhole: true)
        guard outputSize % 8 == 0 else {
            throw module.malformed("qweight", "\(outputSize) outputs are not whole words")
        }
        let groupCount = inputSize / groupSize
        let codes = try module.words("qweight", [inputSize, outputSize / 8])
        let zeros = try module.words("qzeros", [groupCount, outputSize / 8])
        let scales = try module.tensor("scales", [groupCount, outputSize])
        let format = GroupFormat(
            bitCount: 4, groupSize: groupSize, scaleType: try scales.scaleType(), hasZeros: true)
        return module.matrix(
            GroupRows(
                format: format, inputSize: inputSize, orientation: .outputsLast,
                codes: CodeTensor(codes, bitCount: 4, .interleaved), scales: scales,
                zeros: CodeTensor(zeros, bitCount: 4, .interleaved), zeroShift: 0, inputOrder: nil,
                progress: progress), outputSize: outputSize, type)
    }

    /// Whether the checkpoint has a matrix `name`, quantized or dense.
    public func has(_ name: String, in source: any TensorSource) -> Bool {
        source.shape(of: name) != nil || source.shape(of: "\(ModuleTensors(name, in: source).name).qweight") != nil
    }
}

/// The quantization configuration of an AWQ checkpoint (casper-hansen/AutoAWQ, `awq/models/_config.py`).
public struct AWQConfiguration: Sendable, Hashable {
    /// The file that contains it.
    public let file: String
    /// Inputs that share a scale; nil for a whole column.
    public let groupSize: Int?
    /// Substrings of the names of modules that stay dense.
    public let modulesToNotConvert: [String]

    init(_ document: JSONDocument) throws(WeightLoadingError) {
        file = document.file
        let bits = document.value("bits") == nil ? "w_bit" : "bits"
        _ = try document.bitCount(bits, [4])
        let group = document.value("group_size") == nil ? "q_group_size" : "group_size"
        groupSize = try document.groupSize(group)
        try document.require("version", oneOf: ["gemm"])
        // gptqmodel writes the version under GPTQ's keys.
        try document.require("checkpoint_format", oneOf: ["gemm"])
        try document.require("format", oneOf: ["gemm"])
        try document.require("pack_dtype", oneOf: ["int32"])
        modulesToNotConvert = try document.strings("modules_to_not_convert")
    }

    /// Whether the matrix of the linear module `module` is quantized.
    func isQuantized(_ module: String) -> Bool {
        // As in AutoAWQ, a substring of the name is enough.
        !modulesToNotConvert.contains { module.hasPart($0) }
    }
}

extension String {
    /// Whether `part` is a substring, compared byte by byte.
    func hasPart(_ part: String) -> Bool {
        let (text, part) = (Array(utf8), Array(part.utf8))
        guard part.count <= text.count else { return false }
        return (0...text.count - part.count).contains { text[$0...].starts(with: part) }
    }
}
