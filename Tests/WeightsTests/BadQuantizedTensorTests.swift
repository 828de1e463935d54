import Tensors
import Testing

@testable import Weights

/// A module `m` with 64 inputs in two groups and 32 outputs, of which one tensor is wrong.
@Suite struct BadQuantizedTensorTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private static let gptqTensors = [
        BuiltTensor.words("m.qweight", [8, 32], Array(repeating: 0x8765_4321, count: 256)),
        .words("m.qzeros", [2, 4], Array(repeating: 0x7777_7777, count: 8)),
        .halves("m.scales", [2, 32], Array(repeating: 0.5, count: 64)),
        .words("m.g_idx", [64], (0..<64).map { $0 / 32 }),
    ]

    private func loader(_ members: String) throws -> any WeightLoader {
        QuantizedWeightLoader(try quantization(members, in: directory))
    }

    private func gptq(_ replaced: BuiltTensor? = nil, without name: String? = nil) throws -> LinearWeights {
        let tensors = Self.gptqTensors.map { $0.name == replaced?.name ? replaced ?? $0 : $0 }.filter {
            $0.name != name
        }
        return try loader(#""quant_method":"gptq","bits":4,"group_size":32"#).linear(
            "m.weight", inputSize: 64, outputSize: 32, from: try source(of: tensors))
    }

    private func refusal(_ body: () throws -> LinearWeights) throws -> String {
        let error = #expect(throws: WeightLoadingError.self) { try body() }
        return try #require(error).description
    }

    @Test func `the valid module loads`() throws {
        guard case .quantized(let quantized) = try gptq() else {
            Issue.record("not quantized")
            return
        }
        // A word has the codes 1, 2, … 8; their zero is 8.
        #expect(quantized.dequantized().floats().prefix(8) == [-3.5, -3, -2.5, -2, -1.5, -1, -0.5, 0])
        #expect(quantized.inputOrder == nil)
    }

    @Test func `without a group index the inputs are in order`() throws {
        guard case .quantized(let quantized) = try gptq(without: "m.g_idx") else {
            Issue.record("not quantized")
            return
        }
        #expect(quantized.inputOrder == nil)
    }

    @Test(arguments: ["m.qzeros", "m.scales"]) func `a missing tensor is named`(name: String) throws {
        #expect(try refusal { try gptq(without: name) } == "test: tensor \(name) is missing")
    }

    @Test func `without any matrix the quantized one is reported as missing`() throws {
        #expect(try refusal { try gptq(without: "m.qweight") } == "test: tensor m.qweight is missing")
    }

    @Test(arguments: [
        (BuiltTensor.words("m.qweight", [4, 64], Array(repeating: 0, count: 256)), "expected [8, 32]"),
        (.words("m.qzeros", [4, 2], Array(repeating: 0, count: 8)), "expected [2, 4]"),
        (.halves("m.scales", [1, 32], Array(repeating: 0.5, count: 32)), "expected [2, 32]"),
        (.words("m.g_idx", [32], Array(repeating: 0, count: 32)), "expected [64]"),
    ])
    func `a wrong shape is named`(tensor: BuiltTensor, expected: String) throws {
        let description = try refusal { try gptq(tensor) }
        #expect(description.contains("tensor \(tensor.name) has shape") && description.contains(expected))
    }

    @Test(arguments: [
        (UInt32(2), "tensor m.g_idx is malformed: input 5 is in group 2, there are 2"),
        (UInt32.max, "input 5 is in group -1, there are 2"), (1, "group 0 has 31 inputs, expected 32"),
    ])
    func `an impossible group index is named`(group: UInt32, named: String) throws {
        let groups = (0..<64).map { $0 == 5 ? group : UInt32($0 / 32) }
        #expect(try refusal { try gptq(.words("m.g_idx", [64], groups)) }.contains(named))
    }

    @Test func `codes that are not 32-bit words are named`() throws {
        let wrong = BuiltTensor(name: "m.qweight", type: "I16", shape: [8, 32], bytes: Array(repeating: 0, count: 512))
        #expect(try refusal { try gptq(wrong) }.contains("tensor m.qweight has type I16"))
        let scales = BuiltTensor(name: "m.scales", type: "I16", shape: [2, 32], bytes: Array(repeating: 0, count: 128))
        #expect(try refusal { try gptq(scales) }.contains("tensor m.scales has type I16"))
    }

    @Test func `group sizes that do not divide the inputs are named if the format requires it`() throws {
        let source = try source(of: Self.gptqTensors)
        let description = try refusal {
            try loader(#""quant_method":"awq","bits":4,"group_size":128"#).linear(
                "m.weight", inputSize: 64, outputSize: 32, from: source)
        }
        #expect(description.contains("groups of 128 do not divide its 64 inputs"))
    }

    /// 80 inputs in groups of 32, 32 and 16, each with a different scale.
    @Test func `the last group may have fewer inputs`() throws {
        let scales: [Float] = [1, 2, 4]
        let gptq = try loader(#""quant_method":"gptq","bits":4,"group_size":32"#).linear(
            "m.weight", inputSize: 80, outputSize: 8,
            from: source(of: [
                .words("m.qweight", [10, 8], Array(repeating: 0x9999_9999, count: 80)),
                .words("m.qzeros", [3, 1], Array(repeating: 0x7777_7777, count: 3)),
                .halves("m.scales", [3, 8], scales.flatMap { Array(repeating: $0, count: 8) }),
                .words("m.g_idx", [80], (0..<80).map { $0 / 32 }),
            ]))
        let quantized = try loader(
            #""quant_method":"compressed-tensors","config_groups":{"g":{"targets":["Linear"],"weights":{"num_bits":4,"group_size":32}}}"#
        ).linear(
            "m.weight", inputSize: 80, outputSize: 8,
            from: source(of: [
                .words("m.weight_packed", [8, 10], Array(repeating: 0x9999_9999, count: 80)),
                .halves("m.weight_scale", [8, 3], (0..<24).map { scales[$0 % 3] }),
            ]))
        let row: [Float] = [(1, 32), (2, 32), (4, 16)].flatMap { Array(repeating: $0.0, count: $0.1) }
        for weights in [gptq, quantized] {
            guard case .quantized(let matrix) = weights else {
                Issue.record("not quantized")
                return
            }
            #expect(matrix.dequantized().floats() == Array(repeating: row, count: 8).flatMap { $0 })
        }
    }

    @Test(arguments: [#""quant_method":"gptq","#, #""quant_method":"awq","#])
    func `matrices with groups of 16 stay quantized`(
        method: String
    ) throws {
        let isAWQ = method.contains("awq")
        let tensors = [
            BuiltTensor.words("m.qweight", isAWQ ? [32, 1] : [4, 8], Array(repeating: 0x9999_9999, count: 32)),
            .words("m.qzeros", [2, 1], Array(repeating: isAWQ ? 0x8888_8888 : 0x7777_7777, count: 2)),
            .halves("m.scales", [2, 8], (0..<16).map { $0 < 8 ? 1 : 3 }),
        ]
        let weights = try loader(method + #""bits":4,"group_size":16"#).linear(
            "m.weight", inputSize: 32, outputSize: 8, from: source(of: tensors))
        guard case .quantized(let matrix) = weights else {
            Issue.record("dequantized")
            return
        }
        let row: [Float] = Array(repeating: 1, count: 16) + Array(repeating: 3, count: 16)
        #expect(matrix.dequantized().floats() == Array(repeating: row, count: 8).flatMap { $0 })
    }

    /// The file has precedence over the configuration: tools may quantize the output matrix, too.
    @Test func `a quantized module is loaded although the configuration lists it as dense`() throws {
        let members = #""quant_method":"awq","bits":4,"group_size":32,"modules_to_not_convert":["m"]"#
        let quantized = [
            BuiltTensor.words("m.qweight", [64, 4], Array(repeating: 0x1111_1111, count: 256)),
            .words("m.qzeros", [2, 4], Array(repeating: 0, count: 8)),
            .halves("m.scales", [2, 32], Array(repeating: 0.5, count: 64)),
        ]
        func load(_ tensors: [BuiltTensor]) throws -> LinearWeights {
            try loader(members).linear("m.weight", inputSize: 64, outputSize: 32, from: try source(of: tensors))
        }
        guard case .quantized(let matrix) = try load(quantized) else {
            Issue.record("not quantized")
            return
        }
        #expect(matrix.dequantized().floats() == Array(repeating: 0.5, count: 2048))
        guard case .dense = try load(quantized + [.halves("m.weight", [32, 64], Array(repeating: 1, count: 2048))])
        else {
            Issue.record("quantized, beside a dense matrix")
            return
        }
    }

    @Test func `compressed shapes and zeros must agree`() throws {
        let members =
            #""quant_method":"compressed-tensors","config_groups":{"g":{"targets":["Linear"],"weights":{"num_bits":4,"group_size":32,"symmetric":false}}}"#
        let codes = BuiltTensor.words("m.weight_packed", [32, 8], Array(repeating: 0, count: 256))
        let scales = BuiltTensor.halves("m.weight_scale", [32, 2], Array(repeating: 1, count: 64))
        let shape = BuiltTensor.words("m.weight_shape", [2], [32, 65])
        let wrong = try source(of: [codes, scales, shape])
        #expect(
            try refusal { try loader(members).linear("m.weight", inputSize: 64, outputSize: 32, from: wrong) }
                .contains("m.weight_shape has shape [32, 65], expected [32, 64]"))
        let zeroless = try source(of: [codes, scales])
        #expect(
            try refusal { try loader(members).linear("m.weight", inputSize: 64, outputSize: 32, from: zeroless) }
                .contains("tensor m.weight_zero_point is missing"))
    }
}
