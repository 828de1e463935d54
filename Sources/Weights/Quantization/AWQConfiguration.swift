import JSON
import Tensors

/// The quantization configuration of an AWQ checkpoint (casper-hansen/AutoAWQ, `awq/models/_config.py`).
///
/// The layout is GEMM's: `qweight` `[in, out / 8]`, `qzeros` `[in / group, out / 8]`, both of interleaved 4-bit numbers,
/// and `scales` `[in / group, out]` (`awq/modules/linear/gemm.py`).
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

extension AWQConfiguration: QuantizationScheme {
    var codesPart: String? { "qweight" }

    func matrix(
        of module: ModuleTensors, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> LinearWeights? {
        // A module whose only matrix is quantized is loaded, even if the configuration lists it as dense.
        guard module.isQuantized("qweight"), isQuantized(module.name) || module.hasOnly("qweight") else { return nil }
        let groupSize = try module.groupSize(groupSize, inputSize: inputSize, isWhole: true)
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
                progress: module.progress), outputSize: outputSize)
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
