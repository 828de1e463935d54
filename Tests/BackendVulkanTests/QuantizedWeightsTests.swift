import Backends
import Lowering
import SharedValues
import Synchronization
import Tensors
import Testing

@testable import BackendConformance
@testable import BackendVulkan

/// Quantized weights stay quantized in the device's memory.
@Suite(.serialized) struct QuantizedWeightsTests {
    /// How much larger a block format may be than in the file, where it is more than 3%: scales of less than eight bits have
    /// a byte each, MXFP4's exponents have two, and ternary digits two bits.
    private static let larger: [WeightFormat: Double] = [
        .blocks(.q3K): 1.04, .blocks(.mxfp4): 1.06, .blocks(.iq3S): 1.04, .blocks(.iq3XXS): 1.09,
        .blocks(.iq2XS): 1.11, .blocks(.iq2XXS): 1.13, .blocks(.iq1S): 1.17, .blocks(.iq1M): 1.04,
        .blocks(.tq1_0): 1.23,
    ]

    @Test("A quantized matrix takes little more memory than its codes and scales", arguments: WeightFormat.all)
    func memory(format: WeightFormat) throws {
        let device = try #require(TestDevice.all.first)
        let backend = try device.backend()
        let pool = MemoryPool(device: backend, budgetByteCount: 8 << 20)
        var random = SplitMix64(seed: 9)
        let matrix = format.matrix(outputSize: 192, inputSize: 1536, computeType: .bf16, &random)
        let matrixOnDevice = try DeviceMatrix(
            [.quantized(matrix)], maxRangeByteCount: backend.capabilities.maxRangeByteCount, pool: pool)
        #expect(matrixOnDevice.rowCount == 192)
        let taken = pool.usedByteCount(for: .weights)
        let grid = try QuantizedFormat(matrix.layout, inputSize: 1536).scalesPrefix.count * 4
        #expect(
            Double(taken - grid) <= (Self.larger[format] ?? 1.03) * Double(matrix.byteCount),
            "\(taken) for \(matrix.byteCount)")
    }

    @Test("A quantized table larger than a range is split into parts", arguments: TestDevice.all)
    func splitTable(device: TestDevice) throws {
        for format in [WeightFormat.blocks(.q8_0), .blocks(.q6K)] {
            var small = device
            small.limits.maxRangeByteCount = 20 << 10
            let backend = try small.backend()
            var sketch = PlanSketch(seed: 1)
            let table = sketch.quantized("table", PlanSketch.vocabularySize, 256, format, .bf16)
            let matrixOnDevice = try DeviceMatrix(
                [sketch.plan[table].weights], maxRangeByteCount: backend.capabilities.maxRangeByteCount,
                pool: MemoryPool(device: backend, budgetByteCount: 1 << 20))
            #expect(matrixOnDevice.parts.count > 1)
            #expect(matrixOnDevice.parts.reduce(0) { $0 + $1.rowCount } == PlanSketch.vocabularySize)
            let rows = sketch.linear(sketch.gather(sketch.embed(table, 256)), table)
            let trial = ConformanceCase(
                name: "split \(format)", tolerance: Tolerance.single, plan: sketch.finished(rows),
                sequences: BackendConformance.sequences([5, 3], seed: 1), cacheType: .f32, blockSize: 16)
            let result = try BackendConformance(backend).run(trial)
            #expect(result.hasPassed, "\(result)")
            #expect(backend.validationMessages == [])
        }
    }

    @Test("Matrices that share an input and an order share one permutation of it")
    func oneReordering() throws {
        var sketch = PlanSketch(seed: 2)
        let format = WeightFormat.groups(bitCount: 4, groupSize: 32, isReordered: true)
        let first = format.matrix(outputSize: 64, inputSize: 96, computeType: .f32, &sketch.random)
        let other = format.matrix(outputSize: 64, inputSize: 96, computeType: .f32, &sketch.random)
        // The same order, but other groups: these cannot be one matrix.
        let wide = QuantizedMatrix(
            outputSize: 32, inputSize: 96,
            layout: .groups(GroupFormat(bitCount: 4, groupSize: 96, scaleType: .f16, hasZeros: true)),
            inputOrder: first.inputOrder, rows: StoredRows(HostMemory(byteCount: 0) { _ in }, rowByteCount: 0))
        let input = sketch.norm(sketch.input(96))
        var last = input
        for (name, matrix) in [("a", first), ("b", first), ("c", wide), ("d", other)] {
            let weights = sketch.add(name, .quantized(matrix))
            last = sketch.linear(input, weights)
        }
        let plan = sketch.finished(last)
        let lowered = try LoweredPlan(plan, for: VulkanLowering(), limits: SmallModel().limits)
        let names = lowered.operations.map { operation in
            switch operation {
            case .reorder: "reorder"
            case .linear(_, let parts): "linear\(parts.count)"
            default: "other"
            }
        }
        #expect(names == ["other", "other", "reorder", "linear2", "linear1", "reorder", "linear1", "other"])
        #expect(lowered.plan.values.count == plan.values.count + 2)
    }

    @Test("A table with reordered inputs is refused", arguments: TestDevice.all)
    func reorderedTable(device: TestDevice) throws {
        var sketch = PlanSketch(seed: 3)
        let table = sketch.quantized(
            "table", PlanSketch.vocabularySize, 64, .groups(bitCount: 4, groupSize: 32, isReordered: true), .f32)
        let rows = sketch.embed(table, 64)
        let trial = ConformanceCase(
            name: "reordered table", tolerance: Tolerance.single, plan: sketch.finished(rows),
            sequences: BackendConformance.sequences([3], seed: 1), cacheType: .f32, blockSize: 16)
        #expect(throws: BackendError.unsupported(operation: "embed", reason: "table has reordered columns")) {
            try BackendConformance(device.backend()).run(trial)
        }
    }

    @Test("A group size that is neither 16 nor a multiple of 32 is refused and named", arguments: [1, 31, 33, 48])
    func oddGroups(groupSize: Int) throws {
        let layout = QuantizedLayout.groups(
            GroupFormat(bitCount: 4, groupSize: groupSize, scaleType: .f16, hasZeros: true))
        #expect(
            throws: BackendError.unsupported(
                operation: "linear", reason: "groups of \(groupSize), not 16 or a multiple of 32")
        ) { try QuantizedFormat(layout, inputSize: 96) }
        // A group that is all of a row may have any size.
        #expect(try QuantizedFormat(layout, inputSize: groupSize).groupSize == nil)
    }

    @Test("Where the driver flushes subnormal halves to zero, scales are unpacked by integers")
    func smallHalves() throws {
        for device in TestDevice.all {
            var sketch = PlanSketch(seed: 4)
            let rows = sketch.linear(sketch.input(512), sketch.quantized("weights", 70, 512, .blocks(.q6K), .f32))
            let trial = ConformanceCase(
                name: "halves", tolerance: Tolerance.single, plan: sketch.finished(rows),
                sequences: BackendConformance.sequences([9, 30], seed: 1), cacheType: .f32, blockSize: 16)
            let faults = FaultInjector()
            faults.fail(.halves)
            let reports = Mutex<[String]>([])
            let backend = try device.backend(faults: faults) { options in
                options.onFallback = { report in reports.withLock { $0.append(report) } }
            }
            let result = try BackendConformance(backend).run(trial)
            #expect(result.hasPassed, "\(result)")
            let found = reports.withLock { $0 }
            #expect(!found.isEmpty && found.allSatisfy { $0.contains("unpacks scales by integers") })
            let many = backend.kernelSelections.first { $0.operation == "gemm_quantized" }
            #expect(many?.rejections.contains { $0.reason.contains("self-test") } == false)
        }
    }

    @Test("A kernel for quantized weights that fails its self-test is replaced by the next, with the same result")
    func fallback() throws {
        for device in TestDevice.all {
            var limited = device
            for variant in ["gemv_quantized_broadcast", "gemm_quantized"] {
                // A CPU prefers the first, so the second needs a GPU's kernels.
                limited.limits.without = variant == "gemm_quantized" ? [.processorLanes] : []
                var sketch = PlanSketch(seed: 4)
                let weights = sketch.quantized("weights", 70, 96, .groups(bitCount: 4, groupSize: 32), .f32)
                let rows = sketch.linear(sketch.input(96), weights)
                let trial = ConformanceCase(
                    name: "fallback", tolerance: Tolerance.single, plan: sketch.finished(rows),
                    sequences: BackendConformance.sequences([9, 30], seed: 1), cacheType: .f32, blockSize: 16)
                let faults = FaultInjector()
                faults.fail(.selfTest(variant))
                let reports = Mutex<[String]>([])
                let backend = try limited.backend(faults: faults) { options in
                    options.onFallback = { report in reports.withLock { $0.append(report) } }
                }
                let result = try BackendConformance(backend).run(trial)
                #expect(result.hasPassed, "\(result)")
                #expect(reports.withLock { $0.filter { $0.contains("\(variant) is not used") } }.count == 1)
                let many = backend.kernelSelections.first { $0.operation == "gemm_quantized" }
                #expect(many?.rejections.contains { $0.variant == variant } == true)
            }
        }
    }
}
