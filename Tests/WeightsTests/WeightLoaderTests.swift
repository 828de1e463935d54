import Synchronization
import Tensors
import Testing

@testable import Weights

@Suite struct WeightLoaderTests {
    private let dense: SafetensorsSource
    private let gguf: GGUFSource

    init() throws {
        dense = try source(safetensors([("w", [1, 2, 3, 4, 5, 6], [2, 3]), ("n", [1, 2], [2])], as: .f16))
        gguf = try GGUFSource(file: fixture("quantized.gguf"))
    }

    @Test(arguments: [(WeightType.auto, ElementType.f16), (.f32, .f32), (.bf16, .bf16), (.f16, .f16)])
    func `matrices have the requested type`(type: WeightType, expected: ElementType) throws {
        let weights = try DenseWeightLoader(type).linear("w", inputSize: 3, outputSize: 2, from: dense)
        #expect(weights.elementType == expected)
        #expect(weights.inputSize == 3 && weights.outputSize == 2)
    }

    @Test(arguments: [("Q4_K", ElementType.bf16), ("F16", .f16), ("F32", .f32), ("BF16", .bf16)])
    func `auto keeps plain types and gives blocks the compute type bf16`(name: String, expected: ElementType) throws {
        let shape = try #require(gguf.shape(of: name))
        let weights = try GGUFWeightLoader().linear(name, inputSize: shape[1], outputSize: shape[0], from: gguf)
        #expect(weights.elementType == expected)
    }

    @Test(arguments: BlockFormat.allCases) func `block formats are kept`(format: BlockFormat) throws {
        let tensor = try gguf.tensor(named: format.rawValue)
        let weights = try GGUFWeightLoader(.f32).linear(
            format.rawValue, inputSize: tensor.shape[1], outputSize: tensor.shape[0], from: gguf)
        guard case .quantized(let quantized) = weights else {
            Issue.record("not quantized")
            return
        }
        #expect(quantized.layout == .blocks(format) && quantized.computeType == .f32)
        #expect(quantized.byteCount == tensor.byteCount)
        #expect(quantized.dequantized().floats().map(\.bitPattern) == (try tensor.floats()).map(\.bitPattern))
    }

    @Test func `tensors of the requested type are not copied`() throws {
        let stored = try dense.tensor(named: "w")
        let view = try stored.converted(to: .f16)
        #expect(
            view.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
                == stored.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) })
    }

    @Test func `the dense loader refuses blocks`() throws {
        let error = #expect(throws: WeightLoadingError.self) {
            try DenseWeightLoader().linear("Q4_0", inputSize: 64, outputSize: 2, from: gguf)
        }
        #expect(try #require(error).description.contains("tensor Q4_0 has type Q4_0"))
    }

    @Test func `a wrong shape is reported with tensor, expected and found`() {
        let expected = WeightLoadingError.shapeMismatch(file: "test", tensor: "w", expected: [3, 2], found: [2, 3])
        #expect(throws: expected) { try DenseWeightLoader().linear("w", inputSize: 2, outputSize: 3, from: dense) }
        #expect(expected.description == "test: tensor w has shape [2, 3], expected [3, 2]")
        #expect(throws: WeightLoadingError.shapeMismatch(file: "test", tensor: "n", expected: [3], found: [2])) {
            try DenseWeightLoader().vector("n", count: 3, from: dense)
        }
    }

    @Test func `vectors are widened, and missing ones are detected`() throws {
        let loader = DenseWeightLoader()
        #expect(try loader.vector("n", count: 2, from: dense) == [1, 2])
        #expect(loader.has("n", in: dense))
        #expect(!loader.has("m", in: dense))
    }

    @Test(arguments: [WeightType.auto, .f32]) func `progress ends at the bytes of the matrix`(type: WeightType) throws {
        let values = [Float](repeating: 0.5, count: 1 << 20)
        let source = try source(safetensors([("w", values, [1024, 1024])], as: .bf16))
        let reports = Mutex<[Int]>([])
        let progress = LoadingProgress(totalByteCount: source.byteCount) { completed, total in
            #expect(total == 2 << 20)
            reports.withLock { $0.append(completed) }
        }
        _ = try DenseWeightLoader(type, progress: progress).linear(
            "w", inputSize: 1024, outputSize: 1024, from: source)
        let seen = reports.withLock { $0 }
        #expect(seen.last == 2 << 20)
        #expect(seen == seen.sorted())
        #expect(type == .auto ? seen.count == 1 : seen.count >= 2)
    }
}
