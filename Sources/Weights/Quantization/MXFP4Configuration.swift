import JSON
import Tensors

/// The quantization configuration of a checkpoint whose experts are MXFP4 (`quant_method` `mxfp4`: gpt-oss as OpenAI
/// published it; transformers, `integrations/mxfp4.py`). Other matrices are dense.
///
/// A module `m` of all experts has `m_blocks` `[experts, out, in / 32, 16]`, bytes of two E2M1 floats each, the one with
/// the lower index in the lower half, and `m_scales` `[experts, out, in / 32]`, exponents of two with a bias of 127.
public struct MXFP4Configuration: Sendable, Hashable {
    /// The file that contains it.
    public let file: String

    init(_ document: JSONDocument) { file = document.file }
}

extension MXFP4Configuration: QuantizationScheme {
    var codesPart: String? { "blocks" }
    var partSeparator: String { "_" }

    func matrix(
        of module: ModuleTensors, inputSize: Int, outputSize: Int
    ) throws(WeightLoadingError) -> LinearWeights? {
        guard module.has("blocks") else { return nil }
        guard inputSize % MXFP4Rows.format.elementCount == 0 else {
            throw module.malformed("blocks", "blocks of 32 do not divide its \(inputSize) inputs")
        }
        let blockCount = inputSize / MXFP4Rows.format.elementCount
        let codes = try module.bytes("blocks", [outputSize, blockCount, 16])
        let scales = try module.bytes("scales", [outputSize, blockCount])
        return .quantized(
            QuantizedMatrix(
                outputSize: outputSize, inputSize: inputSize, layout: .blocks(MXFP4Rows.format),
                computeType: module.computeType,
                rows: MXFP4Rows(blockCount: blockCount, codes: codes, scales: scales, progress: module.progress)))
    }
}

/// Rows of GGUF's blocks, made of separate codes and scales when a backend reads them.
///
/// The numbers are the same; in GGUF, the lower halves of a block's bytes are its first sixteen codes.
private struct MXFP4Rows: QuantizedRows {
    static let format = BlockFormat.mxfp4

    /// Blocks of a row.
    let blockCount: Int
    let codes: StoredTensor
    let scales: StoredTensor
    let progress: LoadingProgress?

    func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
        codes.withUnsafeBytes { codes in
            scales.withUnsafeBytes { scales in
                for (index, block) in (range.lowerBound * blockCount..<range.upperBound * blockCount).enumerated() {
                    let to = target + index * Self.format.byteCount
                    to.storeBytes(of: scales[block], as: UInt8.self)
                    for byte in 0..<8 {
                        // Codes 2 * byte and 2 * byte + 1, and those that lie sixteen behind them.
                        let (first, second) = (codes[block * 16 + byte], codes[block * 16 + byte + 8])
                        to.storeBytes(of: first & 15 | second << 4, toByteOffset: 1 + 2 * byte, as: UInt8.self)
                        to.storeBytes(of: first >> 4 | second & 240, toByteOffset: 2 + 2 * byte, as: UInt8.self)
                    }
                }
            }
        }
        progress?.advance(by: range.count * blockCount * Self.format.byteCount)
    }

    func unload() {
        codes.unload()
        scales.unload()
    }
}
