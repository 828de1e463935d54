import Tensors
import Testing

@testable import Weights

/// Compares checkpoints of published tools with NumPy's dequantization; see Tests/Goldens/make_quantized.py and
/// dequantize.py.
@Suite struct QuantizedCheckpointTests {
    static let names = [
        "awq-4bit", "compressed-w4", "compressed-w4-actorder", "compressed-w8-channel", "gptq-2bit", "gptq-3bit",
        "gptq-4bit", "gptq-4bit-actorder", "gptq-4bit-v2", "gptq-8bit-column", "gptq-dynamic",
    ]

    private static func path(_ name: String, from test: String = #filePath) -> String {
        let tests = test.split(separator: "/").dropLast(2).joined(separator: "/")
        return "/\(tests)/Goldens/checkpoints/quantized-\(name)"
    }

    private func matrix(_ name: String, of checkpoint: Checkpoint, _ shape: [Int]) throws -> LinearWeights {
        try WeightLoading(checkpoint).quantizedLoader().linear(
            name, inputSize: shape[1], outputSize: shape[0], from: checkpoint.source)
    }

    @Test(arguments: names) func `every weight equals NumPy's bit for bit`(name: String) throws {
        let checkpoint = try Checkpoint(path: Self.path(name))
        let expected = try SafetensorsSource(file: Self.path(name) + "/dequantized.safetensors")
        #expect(expected.tensorNames.count == 7)
        var quantizedCount = 0
        for tensor in expected.tensorNames {
            let reference = try expected.tensor(named: tensor)
            switch try matrix(tensor, of: checkpoint, reference.shape) {
            case .dense(let dense):
                #expect(dense.floats() == (try reference.floats()), "\(tensor)")
            case .quantized(let quantized):
                quantizedCount += 1
                let found = quantized.dequantized().floats()
                #expect(found.map(\.bitPattern) == (try reference.floats()).map(\.bitPattern), "\(tensor)")
            }
        }
        #expect(quantizedCount == (name == "gptq-dynamic" ? 6 : 7))
    }

    @Test(arguments: [
        ("awq-4bit", "int4 groups of 32, bf16 scales, zeros"), ("gptq-2bit", "int2 groups of 32, f16 scales"),
        ("gptq-3bit", "int3 groups of 32, f16 scales, zeros"), ("gptq-4bit", "int4 groups of 32, f16 scales"),
        ("gptq-8bit-column", "int8 groups of 64, f16 scales"), ("compressed-w4", "int4 groups of 32, bf16 scales"),
        ("compressed-w4-actorder", "int4 groups of 32, bf16 scales, zeros"),
        ("compressed-w8-channel", "int8 groups of 64, bf16 scales, zeros"),
    ])
    func `the layout is that of the checkpoint`(name: String, layout: String) throws {
        let checkpoint = try Checkpoint(path: Self.path(name))
        let query = try matrix("model.layers.0.self_attn.q_proj.weight", of: checkpoint, [64, 64])
        guard case .quantized(let quantized) = query else {
            Issue.record("not quantized")
            return
        }
        #expect(quantized.layout.description == layout)
        #expect((quantized.inputOrder != nil) == (name.hasSuffix("actorder") || name == "gptq-3bit"))
    }

    @Test func `dynamic rules apply in order`() throws {
        let checkpoint = try Checkpoint(path: Self.path("gptq-dynamic"))
        #expect(checkpoint.loaderName == "gptq")
        func layout(_ name: String, _ shape: [Int]) throws -> String {
            switch try matrix(name, of: checkpoint, shape) {
            case .dense(let tensor): "\(tensor.elementType)"
            case .quantized(let quantized): quantized.layout.description
            }
        }
        // The first rule leaves k dense, although the second one matches it, too.
        #expect(try layout("model.layers.1.self_attn.k_proj.weight", [32, 64]) == "bf16")
        #expect(try layout("model.layers.1.self_attn.v_proj.weight", [32, 64]).hasPrefix("int8"))
        #expect(try layout("model.layers.1.self_attn.q_proj.weight", [64, 64]).hasPrefix("int4"))
        #expect(try layout("lm_head.weight", [288, 64]).hasPrefix("int8"))
    }

    @Test(arguments: [WeightType.auto, .f32, .f16]) func `the dense loader dequantizes and rounds once`(
        type: WeightType
    ) throws {
        let checkpoint = try Checkpoint(path: Self.path("awq-4bit"))
        let name = "model.layers.0.self_attn.q_proj.weight"
        let weights = try WeightLoading(checkpoint, type).denseLoader().linear(
            name, inputSize: 64, outputSize: 64, from: checkpoint.source)
        guard case .dense(let tensor) = weights else {
            Issue.record("still quantized")
            return
        }
        let wanted: ElementType = type == .auto ? .bf16 : type == .f32 ? .f32 : .f16
        #expect(tensor.elementType == wanted)
        let exact = try SafetensorsSource(file: Self.path("awq-4bit") + "/dequantized.safetensors")
            .tensor(named: name).floats()
        #expect(tensor.floats() == HostTensor(exact, shape: [64, 64], as: wanted).floats())
    }

    @Test func `the loader of another format is refused by name`() throws {
        let loading = WeightLoading(try Checkpoint(path: Self.path("awq-4bit")))
        let error = #expect(throws: WeightLoadingError.self) { try loading.quantizedLoader(named: "gptq") }
        #expect(try #require(error).description.contains("model.loader gptq is not supported yet"))
    }

    @Test func `progress reaches the bytes of the tensors`() throws {
        let checkpoint = try Checkpoint(path: Self.path("gptq-4bit"))
        let progress = LoadingProgress(totalByteCount: .max) { _, _ in }
        let weights = try WeightLoading(checkpoint, progress: progress).quantizedLoader().linear(
            "model.layers.0.mlp.up_proj.weight", inputSize: 64, outputSize: 96, from: checkpoint.source)
        guard case .quantized(let quantized) = weights else { return }
        withUnsafeTemporaryAllocation(byteCount: quantized.byteCount, alignment: 16) { target in
            guard let start = target.baseAddress else { return }
            for first in stride(from: 0, to: 96, by: 10) { quantized.read(first..<min(first + 10, 96), into: start) }
        }
        // 64 × 96 codes of 4 bits and two groups of scales; zeros are all equal and are not read.
        #expect(progress.completedByteCount == 64 * 96 / 2 + 2 * 96 * 2)
    }
}
