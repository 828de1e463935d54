import JSON
import Tensors

/// The quantization configuration of a checkpoint of E4M3 floats: `quant_method` `fp8` (transformers,
/// `FineGrainedFP8Config`), `fbgemm_fp8`, or `modelopt` with `quant_algo` `FP8`.
///
/// A module has `weight` `[out, in]` of one byte each, and `weight_scale` or `weight_scale_inv` for all of it, for each row,
/// or for blocks of 128 by 128 (transformers, `integrations/finegrained_fp8.py` and `integrations/fbgemm_fp8.py`). Weights
/// stay bytes in memory and are widened when they are multiplied. Activations, which such checkpoints were made to round as
/// well, stay as exact as the backend has them.
public struct Float8Configuration: Sendable, Hashable {
    /// The file that contains it.
    public let file: String
    /// Outputs and inputs that share a scale; nil: rows or whole matrices.
    let block: [Int]?

    init(_ document: JSONDocument) throws(WeightLoadingError) {
        file = document.file
        try document.require("fmt", oneOf: ["e4m3"])
        try document.require("weight_format", oneOf: ["e4m3", "float8_e4m3fn"])
        block = try document.block("weight_block_size")
    }
}

extension Float8Configuration: QuantizationScheme {
    var codesPart: String? { nil }

    func matrix(
        of module: ModuleTensors, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> LinearWeights? {
        try module.byteMatrix(inputSize: inputSize, outputSize: outputSize, blocks: block)
    }
}

extension JSONReader where Failure == WeightLoadingError {
    /// The size of a block at `key`, outputs and inputs; nil when absent or null.
    func block(_ key: String) throws(WeightLoadingError) -> [Int]? {
        guard let value = value(key) else { return nil }
        let expected = "two numbers, the second a multiple of 32"
        guard case .array(let elements) = value, elements.count == 2, case .integer(let outputs) = elements[0],
            case .integer(let inputs) = elements[1], outputs > 0, outputs <= 1 << 20, inputs > 0, inputs <= 1 << 20,
            inputs % 32 == 0
        else { throw error(key, expected: expected, found: value) }
        return [outputs, inputs]
    }
}
