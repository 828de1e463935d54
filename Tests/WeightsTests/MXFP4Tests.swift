import Tensors
import Testing

@testable import Weights

/// Experts in MXFP4 as OpenAI published them: codes and scales in tensors of their own.
@Suite struct MXFP4Tests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private static let floats: [Float] = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6]

    /// Two rows of two blocks, each of which has all codes in order, twice.
    private static let codes = BuiltTensor(
        name: "m_blocks", type: "U8", shape: [2, 2, 16],
        bytes: (0..<64).map { (byte: Int) -> UInt8 in UInt8(byte % 8 * 2 | (byte % 8 * 2 + 1) << 4) })
    private static let scales = BuiltTensor(name: "m_scales", type: "U8", shape: [2, 2], bytes: [127, 128, 125, 0])

    private func load(_ tensors: [BuiltTensor], inputSize: Int = 64) throws -> LinearWeights {
        let loader = QuantizedWeightLoader(try quantization(#""quant_method":"mxfp4""#, in: directory))
        let source = try source(of: tensors)
        #expect(loader.has("m", in: source))
        return try loader.linear("m", inputSize: inputSize, outputSize: 2, from: source)
    }

    @Test func `blocks stay quantized, and have the numbers of E2M1 and E8M0`() throws {
        guard case .quantized(let matrix) = try load([Self.codes, Self.scales]) else {
            Issue.record("not quantized")
            return
        }
        #expect(matrix.layout == .blocks(.mxfp4))
        let factors: [Float] = [1, 2, 0.25, 0x1p-127]
        #expect(
            matrix.dequantized().floats()
                == factors.flatMap { factor in (Self.floats + Self.floats).map { $0 * factor } })
        // A second row alone.
        let second = LinearWeights.quantized(matrix).selectingRows(from: 1, by: 2)
        guard case .quantized(let row) = second else { return }
        #expect(row.outputSize == 1)
        #expect(row.dequantized().floats() == Array(matrix.dequantized().floats().suffix(64)))
    }

    @Test(
        arguments: [
            ([codes], 64, "tensor m_scales is missing"),
            (
                [codes, BuiltTensor(name: "m_scales", type: "U8", shape: [4], bytes: [1, 1, 1, 1])], 64,
                "tensor m_scales has shape [4], expected [2, 2]"
            ),
            (
                [codes, BuiltTensor(name: "m_scales", type: "I8", shape: [2, 2], bytes: [1, 1, 1, 1])], 64,
                "tensor m_scales has type I8, which is not supported (supported: U8)"
            ),
            ([codes, scales], 32, "tensor m_blocks has shape [2, 2, 16], expected [2, 1, 16]"),
            ([codes, scales], 48, "tensor m_blocks is malformed: blocks of 32 do not divide its 48 inputs"),
        ] as [([BuiltTensor], Int, String)])
    func `wrong tensors are named`(tensors: [BuiltTensor], inputSize: Int, words: String) throws {
        let error = #expect(throws: WeightLoadingError.self) { try load(tensors, inputSize: inputSize) }
        #expect(try #require(error).description.contains(words))
    }
}
