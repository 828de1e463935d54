import Backends
import SharedValues
import Tensors
import Testing

@testable import BackendConformance
@testable import BackendVulkan

/// Experts beyond a budget stay in the host's memory, and nothing else changes.
@Suite struct ExpertMemoryTests {
    private static let tokenCount = 23
    private static let layers = [(experts: 8, choices: 2), (experts: 5, choices: 3)]

    /// What a plan computes and takes with a budget for its experts.
    private struct Run {
        let logits: [Float]
        let deviceByteCount: Int
        let hostByteCount: Int
        let rows: ExpertRows?
    }

    /// Two layers of experts in a quantized format with a prefix, and in unquantized numbers.
    private static let plan: ForwardPlan = {
        var sketch = PlanSketch(seed: 9)
        var stream = sketch.input(256)
        for (index, layer) in layers.enumerated() {
            let fed = sketch.experts(of: stream, layer.experts, layer.choices, hasBias: index == 1) { sketch, name in
                let (rows, columns) = name == "down" ? (256, 512) : (512, 256)
                let format = WeightFormat.blocks(name == "up" ? .iq2XXS : .q4K)
                if index == 0 {
                    return .quantized(
                        format.matrix(outputSize: rows, inputSize: columns, computeType: .f32, &sketch.random))
                }
                let numbers = sketch.random.floats(rows * columns, bound: (3 / Float(columns)).squareRoot())
                return .dense(HostTensor(numbers, shape: [rows, columns], as: .bf16))
            }
            stream = sketch.add(stream, fed)
        }
        return sketch.finished(stream)
    }()

    private func run(_ backend: VulkanBackend, budget: Int?) throws -> Run {
        let limits = BatchLimits(
            maxTokenCount: Self.tokenCount, maxSequenceCount: 1, maxSampleCount: Self.tokenCount, maxContextLength: 64)
        let pool = MemoryPool(device: backend, budgetByteCount: 64 << 20, chunkByteCount: 1 << 20)
        let host = MemoryPool(device: backend, budgetByteCount: 64 << 20, chunkByteCount: 1 << 20)
        let prepared = try backend.prepare(
            Self.plan, limits: limits, pool: pool, experts: budget.map { ExpertMemory(byteCount: $0, hostPool: host) })
        try prepared.attach(KVCacheMemory(layers: [], blockCount: 2, blockSize: 16, type: .f16, pool: pool))
        var rows = ExpertRows()
        var logits: [Float] = []
        // The first step counts as well, but only the second one is compared: counters give what a step added.
        for count in [3, Self.tokenCount] {
            var batch = ForwardBatch()
            batch.append(
                tokens: (0..<count).map { Int32($0 * 7 % PlanSketch.vocabularySize) }, firstPosition: 0,
                blocks: [0, 1], blockSize: 16)
            batch.sampleRows = (0..<Int32(count)).map { $0 }
            try prepared.submit(batch)
            let sampled = try prepared.wait()
            logits = (0..<count).flatMap { row in sampled.withRow(row) { Array($0) } }
            rows = prepared.expertRows ?? ExpertRows(deviceCount: -1)
        }
        return Run(
            logits: logits, deviceByteCount: pool.usedByteCount(for: .weights),
            hostByteCount: host.usedByteCount(for: .hostWeights), rows: rows)
    }

    @Test(
        "The device's memory keeps the budget, results the same bits, and counters say where experts were",
        arguments: TestDevice.quick)
    func budget(device: TestDevice) throws {
        var card = device
        card.limits.without = [.unifiedMemory]
        let backend = try card.backend()
        let whole = try run(backend, budget: nil)
        #expect(whole.hostByteCount == 0 && whole.rows == ExpertRows(deviceCount: -1))
        let none = try run(backend, budget: 0)
        let expertByteCount = whole.deviceByteCount - none.deviceByteCount
        #expect(expertByteCount >= Self.plan.expertByteCount)
        let choices = Self.tokenCount * Self.layers.reduce(0) { $0 + $1.choices }
        var last = -1
        for budget in [0, 1 << 20, expertByteCount / 2, expertByteCount - 1, expertByteCount] {
            let found = try run(backend, budget: budget)
            let taken = found.deviceByteCount - none.deviceByteCount
            #expect(taken <= budget, "\(taken) bytes of \(budget)")
            // One more expert of a layer would not have fitted.
            #expect(taken > budget - (1 << 20) || taken == 0 || taken == expertByteCount)
            #expect(found.logits.map(\.bitPattern) == whole.logits.map(\.bitPattern), "budget \(budget)")
            let rows = try #require(found.rows)
            #expect(rows.deviceCount + rows.hostCount == choices)
            #expect(rows.deviceCount >= last && (budget > 0 || rows.deviceCount == 0), "\(rows)")
            #expect(budget != expertByteCount || rows.hostCount == 0)
            last = rows.deviceCount
        }
        #expect(backend.validationMessages == [])
    }

    @Test("Where the device's memory is the host's, a budget changes nothing", arguments: TestDevice.quick)
    func unified(device: TestDevice) throws {
        let found = try run(try device.backend(), budget: 0)
        #expect(found.hostByteCount == 0 && found.rows == ExpertRows(deviceCount: -1))
    }
}
