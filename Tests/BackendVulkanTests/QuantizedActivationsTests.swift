import Backends
import Lowering
import Synchronization
import Tensors
import Testing

@testable import BackendConformance
@testable import BackendVulkan

/// Which inputs are quantized, by which kernel, and to which integers.
@Suite(.serialized) struct QuantizedActivationsTests {
    @Test("Matrices that share an input share its quantized activations where their codes are interleaved alike")
    func sharedQuantization() throws {
        var sketch = PlanSketch(seed: 2)
        let input = sketch.norm(sketch.input(96))
        var last = input
        for (name, bitCount) in [("a", 4), ("b", 4), ("c", 8), ("d", 3)] {
            last = sketch.linear(
                input, sketch.quantized(name, 64, 96, .groups(bitCount: bitCount, groupSize: 32), .f32))
        }
        let lowered = try LoweredPlan(
            sketch.finished(last), for: VulkanLowering(limbCount: 2), limits: SmallModel().limits)
        let names = lowered.operations.suffix(6).dropLast().map { operation in
            switch operation {
            case .convert(_, _, nil, let quantized, _): "stride \(quantized.interleave)"
            case .linear(_, let parts): "linear\(parts.count)"
            default: "other"
            }
        }
        #expect(names == ["stride 2", "linear2", "stride 1", "linear1", "linear1"])
        // Three slices of two quantized activations: sixteen words and four.
        #expect(lowered.plan.values.last?.width == 60)
    }

    @Test("A value that only quantized products read is written quantized; a value that others read stays")
    func quantizingInPlace() throws {
        var sketch = PlanSketch(seed: 3)
        let format = WeightFormat.groups(bitCount: 4, groupSize: 32)
        let (left, right) = (sketch.input(96), sketch.input(96))
        let attended = [32, 48].map { headSize in
            sketch.attention(
                query: left, key: left, value: left, headSize: headSize,
                AttentionShape(queryHeadCount: 96 / headSize, scale: 1))
        }
        for value in attended {
            _ = sketch.linear(value, sketch.quantized("output\(value)", 96, 96, format, .f32))
        }
        let normed = sketch.norm(sketch.add(left, right))
        let gated = sketch.gated(
            sketch.linear(normed, sketch.quantized("gate", 64, 96, format, .f32)),
            sketch.linear(normed, sketch.quantized("up", 64, 96, format, .f32)), .silu)
        let down = sketch.linear(gated, sketch.quantized("down", 96, 64, format, .f32))
        let second = sketch.gated(down, left, .silu)
        _ = sketch.linear(second, sketch.quantized("last", 64, 96, format, .f32))
        let last = sketch.linear(second, 32, .bf16)
        let lowered = try LoweredPlan(
            sketch.finished(last), for: VulkanLowering(limbCount: 1), limits: SmallModel().limits)
        let names = lowered.operations.compactMap { operation -> String? in
            switch operation {
            case .attention(_, _, _, _, let converted): converted == nil ? "attention" : "attention, quantized"
            case .addNorm(_, _, _, _, _, let quantized, _): quantized == nil ? "norm" : "norm, quantized"
            case .gated(_, _, _, let quantized, _): quantized == nil ? "gated" : "gated, quantized"
            case .convert: "convert"
            case .linear(_, let parts): "linear\(parts.count)"
            default: nil
            }
        }
        #expect(
            names == [
                "attention, quantized", "attention", "linear1", "convert", "linear1", "norm, quantized", "linear2",
                "gated, quantized", "linear1", "gated", "convert", "linear1", "linear1",
            ])
    }

    @Test(
        "Without working integer products, activations stay floats, and the reason is reported",
        arguments: TestDevice.all)
    func floatsInstead(device: TestDevice) throws {
        for (variant, reason) in [
            ("quantize", "quantize: its self-test is off"),
            ("gemv_integer", "gemv_integer: its self-test is off"),
            (nil, "no integer dot products"),
        ] {
            var poor = device
            if variant == nil { poor.limits.without = [.integerProducts] }
            let faults = FaultInjector()
            if let variant { faults.fail(.selfTest(variant)) }
            let reports = Mutex<[String]>([])
            let backend = try poor.backend(faults: faults) { options in
                options.activations = .int8
                options.onFallback = { report in reports.withLock { $0.append(report) } }
            }
            var sketch = PlanSketch(seed: 5)
            let weights = sketch.quantized("weights", 70, 96, .groups(bitCount: 4, groupSize: 32), .f32)
            let rows = sketch.linear(sketch.input(96), weights)
            let trial = ConformanceCase(
                name: "floats instead", tolerance: Tolerance.single, plan: sketch.finished(rows),
                sequences: BackendConformance.sequences([9, 30], seed: 1), cacheType: .f32, blockSize: 16)
            let result = try BackendConformance(backend).run(trial)
            #expect(result.hasPassed, "\(result)")
            let said = reports.withLock { $0 }
            #expect(said.contains { $0.hasPrefix("activations stay f32: ") && $0.contains(reason) }, "\(said)")
        }
    }

    @Test(
        "An attention quantizes every row, however its context is split",
        arguments: TestDevice.all)
    func attention(device: TestDevice) throws {
        var card = device
        card.limits.without = [.processorLanes]
        let backend = try card.backend { $0.activations = .int24 }
        var sketch = PlanSketch(seed: 8)
        let attended = sketch.attention(
            query: sketch.input(192, bound: 2), key: sketch.input(64, bound: 2), value: sketch.input(64), headSize: 32,
            AttentionShape(queryHeadCount: 6, scale: 0.2))
        let weights = sketch.quantized("weights", 70, 192, .groups(bitCount: 4, groupSize: 32), .f32)
        let rows = sketch.linear(attended, weights)
        let trial = ConformanceCase(
            name: "attention, quantized", tolerance: 10 * Tolerance.single, plan: sketch.finished(rows),
            sequences: BackendConformance.sequences([150, 1, 70], seed: 1), cacheType: .f32, blockSize: 16)
        let result = try BackendConformance(backend, batchInvariance: .bitwise).run(trial)
        #expect(result.hasPassed, "\(result)")
        #expect(backend.kernelSelections.contains { $0.operation == "attention_reduce_quantized" })
    }

    @Test(
        "Infinities and NaN make a slice NaN when it is quantized; tiny numbers become zero",
        arguments: TestDevice.all)
    func oddNumbers(device: TestDevice) throws {
        let backend = try device.backend()
        let library = backend.library
        let quantized = try #require(
            QuantizedActivations(count: 3, for: try QuantizedFormat(.blocks(.q4_0), inputSize: 160)))
        let pipeline = try library.pipeline(QuantizeKernel(quantized: quantized))
        var numbers = [Float](repeating: 1, count: 160)
        numbers[3] = .nan
        numbers[32 + 4] = .infinity
        numbers[64 + 5] = -.infinity
        for index in 96..<128 { numbers[index] = .leastNonzeroMagnitude }
        let trial = SelfTestCase(
            QuantizeKernel.self,
            bindings: [
                .input: SelfTestCase.bits(numbers), .output: SelfTestCase.unwritten(5 * quantized.recordWordCount),
            ],
            parameters: .init(
                width: 160, input: RowLayout(stride: 40),
                output: RowLayout(stride: UInt32(5 * quantized.recordWordCount))),
            rowCount: 1, output: .output, expected: [])
        let words = try KernelSelfTest(backend.vulkan).run(trial, on: pipeline)
        let found = QuantizedTestRows.read(words, quantized, width: 160)
        #expect(found[..<96].allSatisfy { $0.isNaN })
        #expect(found[96..<128].allSatisfy { $0 == 0 })
        #expect(found[128...].allSatisfy { abs($0 - 1) < 1e-6 })
        #expect(QuantizedTestRows.sums(words, quantized)[..<9].allSatisfy { $0.isNaN })
    }
}
