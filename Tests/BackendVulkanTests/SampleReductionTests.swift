import Backends
import CLibrary
import SharedValues
import Tensors
import Testing

@testable import BackendConformance
@testable import BackendVulkan

/// What the device makes of rows of logits, against a sort of the same rows.
@Suite(.serialized) struct SampleReductionTests {
    private static let devices: [TestDevice] = TestDevice.all.flatMap { device in
        [[.processorLanes], [.processorLanes, .unifiedMemory, .subgroupArithmetic]].map {
            (features: Set<CapabilityLimits.Feature>) in
            var changed = device
            changed.limits.without = features
            changed.limitsText = "no \(features.map(\.rawValue).sorted().joined(separator: ", "))"
            return changed
        }
    }

    /// Logits of `width` tokens, of which every third has the logit of one before it.
    private static func plan(width: Int) -> ForwardPlan {
        var sketch = PlanSketch(seed: 3)
        let input = sketch.gather(sketch.input(8, bound: 3))
        var weights = sketch.random.floats(width * 8, bound: 1)
        for row in stride(from: 3, to: width, by: 3) {
            for column in 0..<8 { weights[row * 8 + column] = weights[row / 2 * 8 + column] }
        }
        let table = sketch.add("head", .dense(HostTensor(weights, shape: [width, 8], as: .f32)))
        let logits = sketch.linear(input, table)
        return sketch.finished(logits)
    }

    @Test(
        "Candidates are the most likely tokens, equal ones by id; other rows are whole", arguments: devices,
        [40, 97, 5000, 70_001])
    func candidates(device: TestDevice, width: Int) throws {
        let backend = try device.backend()
        let pool = MemoryPool(device: backend, budgetByteCount: 64 << 20, chunkByteCount: 1 << 20)
        let limits = BatchLimits(maxTokenCount: 16, maxSequenceCount: 1, maxSampleCount: 16, maxContextLength: 16)
        let prepared = try backend.prepare(Self.plan(width: width), limits: limits, pool: pool)
        try prepared.attach(
            KVCacheMemory(layers: [], blockCount: 1, blockSize: 16, type: .f32, pool: pool))
        var batch = ForwardBatch()
        batch.append(tokens: (0..<9).map { Int32($0 * 5) }, firstPosition: 0, blocks: [0], blockSize: 16)
        batch.sampleRows = [0, 1, 2, 4, 5, 7, 8]
        try prepared.submit(batch)
        let whole = try prepared.wait()
        let expected = batch.sampleRows.indices.map { row in
            #expect(whole.rankedTokens(of: row) == nil)
            return whole.withRow(row) { Array($0) }
        }
        batch.rowRequests = [0.5, nil, 2, nil, nil, 1, 0.1].map { RowRequest(inverseTemperature: $0) }
        try prepared.submit(batch)
        let rows = try prepared.wait()
        for (row, logits) in expected.enumerated() {
            guard let scale = batch.rowRequests[row].inverseTemperature else {
                #expect(rows.rankedTokens(of: row) == nil)
                #expect(rows.withRow(row) { Array($0) } == logits)
                continue
            }
            let found = try #require(rows.rankedTokens(of: row))
            let order = logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }.prefix(RankedTokens.maximumCount)
            #expect(found.tokens.elementsEqual(order.map { Int32($0) }))
            #expect(found.logits.elementsEqual(order.map { logits[$0] }))
            for (sum, scale) in [(found.sum, 1), (found.temperedSum, scale)] {
                let exact = logits.reduce(0.0) { $0 + exp(Double(($1 - found.logits[0]) * scale)) }
                #expect(abs(Double(sum) / exact - 1) < 1e-5)
            }
            try prepared.fetchLogits(of: row)
            #expect(rows.withRow(row) { Array($0) } == logits)
        }
        #expect(
            backend.kernelSelections.filter { $0.operation.hasPrefix("candidates") }.allSatisfy { $0.variant != nil })
        #expect(backend.validationMessages == [])
    }

    @Test("A CPU device returns logits, not candidates")
    func processor() throws {
        let device = try #require(TestDevice.all.first)
        let prepared = try SmallModel().prepare(on: try device.backend()).plan
        var batch = ForwardBatch()
        batch.append(tokens: [1, 2], firstPosition: 0, blocks: [0], blockSize: 16)
        batch.sampleRows = [1]
        batch.rowRequests = [RowRequest(inverseTemperature: 1)]
        try prepared.submit(batch)
        #expect(try prepared.wait().rankedTokens(of: 0) == nil)
    }
}
