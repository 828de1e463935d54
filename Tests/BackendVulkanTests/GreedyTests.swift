import BackendReference
import Backends
import SharedValues
import Tensors
import Testing

@testable import BackendConformance
@testable import BackendVulkan

/// Whole small models of several families, token after token, against the reference.
@Suite(.serialized) struct GreedyTests {
    private static let outputCount = 32

    /// Two layers in the shape of each family: windows, soft caps, all kinds of norms, biases, rotations and feed-forward parts.
    private static let families = BackendConformance.layerCases([.f32], [.f32], .each)

    /// Greedy tokens, and by how much each beat the next best.
    private static func greedy(
        _ trial: ConformanceCase, on backend: any Backend
    ) throws -> [(token: Int32, margin: Float)] {
        let prompt = trial.sequences[0].tokens
        let length = prompt.count + outputCount
        let pool = MemoryPool(device: backend, budgetByteCount: 64 << 20, chunkByteCount: 1 << 20)
        let prepared = try backend.prepare(
            trial.plan,
            limits: BatchLimits(
                maxTokenCount: prompt.count, maxSequenceCount: 1, maxSampleCount: 1, maxContextLength: length),
            pool: pool)
        let blockCount = length.dividedUp(by: trial.blockSize)
        try prepared.attach(
            try KVCacheMemory(
                layers: trial.plan.cacheLayers, blockCount: blockCount, blockSize: trial.blockSize,
                type: trial.cacheType, pool: pool))
        var tokens = prompt
        var computed = 0
        var result: [(token: Int32, margin: Float)] = []
        while result.count < outputCount {
            var batch = ForwardBatch()
            batch.append(
                tokens: tokens[computed...], firstPosition: computed,
                blocks: (0..<Int32(blockCount)).reversed().map { $0 }, blockSize: trial.blockSize)
            batch.sampleRows = [Int32(tokens.count - computed - 1)]
            computed = tokens.count
            try prepared.submit(batch)
            let logits = try prepared.wait().withRow(0) { Array($0) }
            let best = logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }
            tokens.append(Int32(best[0]))
            result.append((Int32(best[0]), logits[best[0]] - logits[best[1]]))
        }
        return result
    }

    @Test(
        "32 greedy tokens equal the reference's, except where two logits are nearly equal",
        arguments: TestDevice.all)
    func families(device: TestDevice) throws {
        #expect(Self.families.count == 10)
        let backend = try device.backend()
        var nearTies = 0
        for family in Self.families {
            let expected = try Self.greedy(family, on: ReferenceBackend())
            let found = try Self.greedy(family, on: backend)
            for (left, right) in zip(expected, found) where left.token != right.token {
                #expect(min(left.margin, right.margin) < 1e-4, "\(family.name)")
                nearTies += 1
                // What follows another token is another text.
                break
            }
        }
        #expect(nearTies <= 1, "\(nearTies) of ten texts part at two tokens that are as good as equal")
    }
}
