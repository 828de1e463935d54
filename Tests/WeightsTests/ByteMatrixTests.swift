import Tensors
import Testing

@testable import Weights

/// Matrices of one byte a weight: E4M3 floats and signed integers, with scales of every shape.
@Suite struct ByteMatrixTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// 64 bytes a row: 1, 2, -1, the smallest float, the largest one, then ones.
    private static let floatRow: [UInt8] = [0x38, 0x40, 0xB8, 0x01, 0x7E] + Array(repeating: 0x38, count: 59)
    private static let floats: [Float] = [1, 2, -1, 0x1p-9, 448] + Array(repeating: 1, count: 59)

    private static func weights(_ type: String, rows: Int, _ row: [UInt8]) -> BuiltTensor {
        BuiltTensor(
            name: "m.weight", type: type, shape: [rows, row.count],
            bytes: Array(repeating: row, count: rows).flatMap { $0 })
    }

    private func load(
        _ members: String, _ tensors: [BuiltTensor], rows: Int = 4, columns: Int = 64
    ) throws -> QuantizedMatrix? {
        let loader = QuantizedWeightLoader(try quantization(members, in: directory))
        let weights = try loader.linear(
            "m.weight", inputSize: columns, outputSize: rows, from: try source(of: tensors))
        guard case .quantized(let matrix) = weights else { return nil }
        return matrix
    }

    private static let float8 = #""quant_method":"fp8","activation_scheme":"dynamic""#

    @Test(
        arguments: [
            ("weight_scale", [4, 1], [1, 2, 4, 8]), ("weight_scale", [4], [1, 2, 4, 8]),
            ("weight_scale_inv", [1], [2]), ("weight_scale", [], [2]),
        ] as [(String, [Int], [Float])])
    func `floats have a scale for each row or for all of them`(name: String, shape: [Int], scales: [Float]) throws {
        let matrix = try #require(
            try load(
                Self.float8, [Self.weights("F8_E4M3", rows: 4, Self.floatRow), .halves("m.\(name)", shape, scales)]))
        let expected = (0..<4).flatMap { row in Self.floats.map { $0 * scales[row % scales.count] } }
        #expect(matrix.dequantized().floats() == expected)
        // Bytes and scales, not floats.
        #expect(matrix.rowByteCount == 64 + 4)
    }

    @Test func `a block of outputs and inputs shares a scale`() throws {
        let scales: [Float] = [1, 2, 4, 8, 16, 32]
        let matrix = try #require(
            try load(
                Self.float8 + #","weight_block_size":[3,32]"#,
                [
                    Self.weights("F8_E4M3", rows: 4, Self.floatRow + Array(repeating: 0x38, count: 16)),
                    .halves("m.weight_scale_inv", [2, 3], scales),
                ], columns: 80))
        let row = Self.floats + Array(repeating: 1, count: 16)
        let expected = (0..<4).flatMap { output in
            row.indices.map { row[$0] * scales[output / 3 * 3 + $0 / 32] }
        }
        #expect(matrix.dequantized().floats() == expected)
        #expect(matrix.layout.description == "E4M3 groups of 32, f16 scales")
    }

    @Test(
        arguments: [
            (#""strategy":"channel""#, [4, 1], [0.5, 1, 2, 4], false), (#""strategy":"tensor""#, [1], [2], false),
            (#""strategy":"group","group_size":32"#, [4, 2], [1, 2, 3, 4, 5, 6, 7, 8], false),
            (#""strategy":"channel","symmetric":false"#, [4, 1], [0.5, 1, 2, 4], true),
        ] as [(String, [Int], [Float], Bool)])
    func `integers have a scale for each row, for groups or for all`(
        weights: String, shape: [Int], scales: [Float], hasZeros: Bool
    ) throws {
        let row = (0..<64).map { Int8($0 * 4 - 128) }
        let zeros: [Int8] = hasZeros ? [-3, 0, 5, 127] : [0, 0, 0, 0]
        var tensors = [
            Self.weights("I8", rows: 4, row.map { UInt8(bitPattern: $0) }), .halves("m.weight_scale", shape, scales),
        ]
        if hasZeros {
            tensors.append(
                BuiltTensor(
                    name: "m.weight_zero_point", type: "I8", shape: [4, 1], bytes: zeros.map { UInt8(bitPattern: $0) }))
        }
        let members =
            #""quant_method":"compressed-tensors","format":"int-quantized","config_groups":{"g":{"targets":["Linear"],"#
            + #""weights":{"num_bits":8,"type":"int",\#(weights)},"input_activations":{"num_bits":8,"dynamic":true}}}"#
        let matrix = try #require(try load(members, tensors))
        let perRow = scales.count / 4
        let expected = (0..<4).flatMap { output in
            row.indices.map { input -> Float in
                let scale = perRow == 0 ? scales[0] : scales[output * perRow + input * perRow / 64]
                return (Float(row[input]) - Float(zeros[output])) * scale
            }
        }
        #expect(matrix.dequantized().floats() == expected)
    }

    @Test func `matrices of other numbers are dense`() throws {
        let dense = BuiltTensor.halves("m.weight", [4, 64], Array(repeating: 1, count: 256))
        #expect(try load(Self.float8, [dense]) == nil)
    }

    @Test(
        arguments: [
            ([weights("F8_E4M3", rows: 4, floatRow)], "tensor m.weight_scale is missing"),
            (
                [weights("F8_E4M3", rows: 4, floatRow), .halves("m.weight_scale", [2, 2], [1, 1, 1, 1])],
                "tensor m.weight_scale has shape [2, 2], expected [4, 1]"
            ),
            (
                [weights("F8_E5M2", rows: 4, floatRow), .halves("m.weight_scale", [1], [1])],
                "tensor m.weight has type F8_E5M2, which is not supported"
            ),
            (
                [weights("F8_E4M3", rows: 3, floatRow), .halves("m.weight_scale", [1], [1])],
                "tensor m.weight has shape [3, 64], expected [4, 64]"
            ),
        ] as [([BuiltTensor], String)])
    func `what does not fit is named`(tensors: [BuiltTensor], named: String) throws {
        let error = #expect(throws: WeightLoadingError.self) { try load(Self.float8, tensors) }
        #expect(try #require(error).description.contains(named))
    }
}
