import Backends
import BackendReference
import Tensors

@testable import BackendConformance
@testable import BackendVulkan

/// A small model, and the logits that a backend computes with it.
struct SmallModel {
    let plan: ForwardPlan
    var limits = BatchLimits(maxTokenCount: 40, maxSequenceCount: 2, maxSampleCount: 8, maxContextLength: 600)
    private static let headSize = 16

    /// `hidden` numbers a row; larger ones make larger matrices. Of several layers only the first has an attention.
    init(hidden: Int = 64, layerCount: Int = 1, type: ElementType = .bf16) {
        var sketch = PlanSketch(seed: 5)
        let table = sketch.matrix("table", PlanSketch.vocabularySize, hidden, type)
        let embedded = sketch.embed(table, hidden)
        let normed = sketch.norm(embedded)
        let rotary = BackendConformance.rotation(pairCount: Self.headSize / 2, .halves)
        let query = sketch.rotary(sketch.linear(normed, 64, type), headSize: Self.headSize, rotary)
        let key = sketch.rotary(sketch.linear(normed, 32, type), headSize: Self.headSize, rotary)
        let value = sketch.linear(normed, 32, type)
        let attended = sketch.attention(
            query: query, key: key, value: value, headSize: Self.headSize,
            AttentionShape(queryHeadCount: 4, scale: 0.25))
        var last = sketch.add(embedded, sketch.linear(attended, hidden, type))
        for _ in 0..<layerCount {
            let second = sketch.norm(last)
            let gated = sketch.gated(sketch.linear(second, 96, type), sketch.linear(second, 96, type), .silu)
            last = sketch.add(last, sketch.linear(gated, hidden, type))
        }
        let logits = sketch.linear(sketch.norm(sketch.gather(last)), table)
        plan = sketch.finished(logits)
    }

    /// The plan on `backend`, with a cache.
    func prepare(on backend: any Backend) throws -> (plan: any PreparedPlan, pool: MemoryPool) {
        let pool = MemoryPool(device: backend, budgetByteCount: 64 << 20, chunkByteCount: 1 << 20)
        let prepared = try backend.prepare(plan, limits: limits, pool: pool)
        let cache = try KVCacheMemory(
            layers: plan.cacheLayers, blockCount: 80, blockSize: 16, type: .f16, pool: pool)
        try prepared.attach(cache)
        pool.seal()
        return (prepared, pool)
    }

    /// Logits of the last token of a prompt, and then of one more.
    func logits(on backend: any Backend) throws -> [[Float]] {
        let prepared = try prepare(on: backend).plan
        return try [step(prepared, first: 0, count: 20), step(prepared, first: 20, count: 1)]
    }

    /// One step of one sequence.
    func step(_ prepared: any PreparedPlan, first: Int, count: Int) throws -> [Float] {
        var batch = ForwardBatch()
        batch.append(
            tokens: (first..<first + count).map { Int32($0 * 7 % PlanSketch.vocabularySize) }, firstPosition: first,
            blocks: (0..<38).map { Int32($0 * 2) }, blockSize: 16)
        batch.sampleRows = [Int32(count - 1)]
        try prepared.submit(batch)
        return try prepared.wait().withRow(0) { Array($0) }
    }

    /// Whether `backend` computes what the reference does.
    func agrees(on backend: any Backend) throws -> Bool {
        let expected = try logits(on: ReferenceBackend()).joined()
        let found = try logits(on: backend).joined()
        let difference = zip(found, expected).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return difference <= 1e-6 * expected.reduce(0) { $0 + $1 * $1 }
    }
}
