import BackendReference
import Backends
import SharedValues
import Tensors
import Testing

@testable import BackendConformance
@testable import BackendVulkan

/// The end of a context of 8,192 positions that lie all over the cache, in blocks of every size.
@Suite(.serialized) struct LongContextTests {
    private static let contextLength = 8192
    private static let headSize = 32
    private static let heads = 2

    private static func plan(window: Int?) -> ForwardPlan {
        var sketch = PlanSketch(seed: 11)
        let query = sketch.input(3 * heads * headSize, bound: 2)
        let key = sketch.input(heads * headSize, bound: 2)
        let value = sketch.input(heads * headSize)
        let result = sketch.attention(
            query: query, key: key, value: value, headSize: headSize,
            AttentionShape(queryHeadCount: 3 * heads, scale: 0.2, slidingWindow: window))
        return sketch.finished(result)
    }

    /// The last `count` rows, after the cache was filled with the same numbers on every backend.
    private static func rows(
        _ plan: ForwardPlan, on backend: any Backend, blockSize: Int, type: ElementType, chunks: [Int]
    ) throws -> [Float] {
        let pool = MemoryPool(device: backend, budgetByteCount: 1 << 30, chunkByteCount: 1 << 20)
        let prepared = try backend.prepare(
            plan,
            limits: BatchLimits(
                maxTokenCount: 64, maxSequenceCount: 1, maxSampleCount: 64, maxContextLength: contextLength),
            pool: pool)
        // Twice as many blocks as are used: the table takes every other one, backwards and forwards.
        let tableCount = contextLength / blockSize
        let blockCount = 2 * tableCount
        let cache = try KVCacheMemory(
            layers: plan.cacheLayers, blockCount: blockCount, blockSize: blockSize, type: CacheType(type),
            pool: pool)
        let blocks = (0..<tableCount).map { Int32($0 % 2 == 0 ? $0 : blockCount - $0) }
        let width = heads * headSize
        for (range, seed) in [(cache.layers[0].keys, UInt64(1)), (cache.layers[0].values, 2)] {
            var random = SplitMix64(seed: seed)
            var numbers = [Float](repeating: .nan, count: blockCount * blockSize * width)
            for position in 0..<contextLength {
                let slot = Int(blocks[position / blockSize]) * blockSize + position % blockSize
                for (index, number) in random.floats(width, bound: 1).enumerated() {
                    numbers[slot * width + index] = number
                }
            }
            let stored = HostTensor(numbers, shape: [blockCount * blockSize, width], as: type)
            try stored.withUnsafeBytes { try range.buffer.write($0, at: range.byteOffset) }
        }
        try prepared.attach(cache)
        var result: [Float] = []
        var position = contextLength - chunks.reduce(0, +)
        for count in chunks {
            var batch = ForwardBatch()
            batch.append(
                tokens: (position..<position + count).map { Int32($0 % PlanSketch.vocabularySize) },
                firstPosition: position, blocks: blocks, blockSize: blockSize)
            batch.sampleRows = (0..<Int32(count)).map { $0 }
            try prepared.submit(batch)
            let rows = try prepared.wait()
            for row in 0..<count { result += rows.withRow(row) { Array($0) } }
            position += count
        }
        return result
    }

    @Test(
        "The end of a long context agrees with the reference, and a single row with a row of a chunk",
        arguments: TestDevice.all)
    func longContext(device: TestDevice) throws {
        let backend = try device.backend()
        for (power, window) in zip(0...8, [nil, 4096, nil, 300, nil, nil, 4096, nil, nil] as [Int?]) {
            let blockSize = 1 << power
            let type: ElementType = power % 2 == 0 ? .f16 : .f32
            let plan = Self.plan(window: window)
            func rows(_ backend: any Backend, _ chunks: [Int]) throws -> [Float] {
                try Self.rows(plan, on: backend, blockSize: blockSize, type: type, chunks: chunks)
            }
            let expected = try rows(ReferenceBackend(), [7])
            let found = try rows(backend, [7])
            let difference = zip(found, expected).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
            let square = expected.reduce(0.0) { $0 + Double($1 * $1) }
            #expect(difference <= Tolerance.single * square, "blocks of \(blockSize)")
            #expect(try rows(backend, [4, 1, 1, 1]) == found, "blocks of \(blockSize)")
        }
        #expect(backend.validationMessages == [])
    }
}
