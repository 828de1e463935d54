import Synchronization
import Tensors
import Testing

@testable import Backends

@Suite("MemoryPool")
struct MemoryPoolTests {
    /// A device that counts what is taken and refuses past its limits.
    final class CountingBackend: Backend {
        final class Buffer: DeviceBuffer {
            let byteCount: Int
            init(_ byteCount: Int) { self.byteCount = byteCount }
            var hostPointer: UnsafeMutableRawPointer? { nil }
        }

        let device: DeviceInfo
        let taken = Mutex<[Int]>([])

        init(maxAllocation: Int = .max, maxRange: Int = .max) {
            device = DeviceInfo(
                name: "counting", detail: "", freeByteCount: 1 << 20, maxAllocationByteCount: maxAllocation,
                maxRangeByteCount: maxRange)
        }

        func makeBuffer(byteCount: Int, usage: BufferUsage) throws(BackendError) -> any DeviceBuffer {
            taken.withLock { $0.append(byteCount) }
            return Buffer(byteCount)
        }

        func prepare(_ plan: ForwardPlan, limits: BatchLimits, pool: MemoryPool) throws(BackendError)
            -> sending any PreparedPlan
        {
            throw .unsupported(operation: "all", reason: "it only counts")
        }
    }

    @Test("small ranges share a chunk, aligned; a large one has its own")
    func chunks() throws {
        let device = CountingBackend()
        let pool = MemoryPool(device: device, budgetByteCount: 1 << 20, chunkByteCount: 16384)
        let first = try pool.allocate(byteCount: 10, for: .weights)
        let large = try pool.allocate(byteCount: 5000, for: .weights)
        let second = try pool.allocate(byteCount: 300, for: .scratch)
        let keys = try pool.allocate(byteCount: 10, for: .cache)
        #expect(first.byteOffset == 0 && second.byteOffset == 256 && first.buffer === second.buffer)
        #expect(large.byteOffset == 0 && large.buffer !== first.buffer)
        #expect(keys.byteOffset == 0 && keys.buffer !== first.buffer)
        #expect(device.taken.withLock { $0 } == [1024, 5120, 256])
        #expect(pool.usedByteCount(for: .weights) == 256 + 5120 && pool.usedByteCount(for: .scratch) == 512)
        #expect(pool.availableByteCount == 1 << 20 - 1024 - 5120 - 256)
    }

    @Test("chunks double, so that what lies unused is no more than what is used, or the first chunk")
    func growth() throws {
        let device = CountingBackend()
        let pool = MemoryPool(device: device, budgetByteCount: 1 << 20, chunkByteCount: 16384)
        for _ in 0..<200 {
            _ = try pool.allocate(byteCount: 256, for: .weights)
            let (taken, used) = (1 << 20 - pool.availableByteCount, pool.usedByteCount(for: .weights))
            #expect(taken - used <= max(used, 1024))
        }
        #expect(device.taken.withLock { $0 } == [1024, 1024, 2048, 4096, 8192, 16384, 16384, 16384])
    }

    @Test("what the device loses is never more than the budget, whatever is asked for", arguments: 1..<20)
    func account(seed: Int) throws {
        let device = CountingBackend()
        let pool = MemoryPool(device: device, budgetByteCount: 1 << 20, chunkByteCount: 1 << 16)
        var (asked, refused) = (0, 0)
        for number in 0..<400 {
            let mixed = number * 7919 * seed + number * number
            let byteCount = mixed % (mixed % 3 == 0 ? 40_000 : 2_000) + 1
            let use = BufferUsage.allCases[mixed % 4]
            do throws(BackendError) {
                _ = try pool.allocate(byteCount: byteCount, for: use)
                asked += byteCount
            } catch { refused += 1 }
            let taken = device.taken.withLock { $0.reduce(0, +) }
            #expect(taken <= 1 << 20 && taken + pool.availableByteCount == 1 << 20 && asked <= taken)
        }
        #expect(refused > 0 && asked > 7 << 17)
    }

    @Test("past the budget or the device's limits there is a named error and nothing is taken")
    func limits() {
        let device = CountingBackend(maxAllocation: 8192, maxRange: 2048)
        let pool = MemoryPool(device: device, budgetByteCount: 3000)
        #expect(throws: BackendError.rangeTooLarge(use: "cache", byteCount: 2049, limit: 2048)) {
            try pool.allocate(byteCount: 2049, for: .cache)
        }
        #expect(throws: Never.self) { try pool.allocate(byteCount: 2048, for: .weights) }
        #expect(throws: BackendError.outOfMemory(use: "scratch", byteCount: 1024, available: 952)) {
            try pool.allocate(byteCount: 1000, for: .scratch)
        }
        #expect(pool.availableByteCount == 952)
    }

    @Test("what is taken after start-up is counted")
    func sealing() throws {
        let pool = MemoryPool(device: CountingBackend(), budgetByteCount: 4096)
        _ = try pool.allocate(byteCount: 1, for: .weights)
        pool.seal()
        #expect(pool.allocationsAfterSeal == 0)
        _ = try pool.allocate(byteCount: 1, for: .scratch)
        #expect(pool.allocationsAfterSeal == 1)
    }

    @Test("as many blocks as the count says really fit", arguments: [1, 16, 256], [1000, 100_000, 1 << 20])
    func blockCount(blockSize: Int, budget: Int) throws {
        let layers = [CacheLayer(keyValueHeadCount: 3, headSize: 10), CacheLayer(keyValueHeadCount: 1, headSize: 8)]
        let device = CountingBackend()
        let pool = MemoryPool(device: device, budgetByteCount: budget)
        let layout = CacheLayout(layers: layers, blockSize: blockSize, type: .bf16)
        let count = layout.blockCount(fitting: budget, on: device.device)
        let perBlock = layout.blockByteCount
        #expect(perBlock == 2 * 38 * blockSize * 2)
        #expect((count + 1) * perBlock > budget - 4 * MemoryPool.alignment - perBlock)
        if count > 0 { _ = try KVCacheMemory(layout, blockCount: count, pool: pool) }
    }

    @Test("a layer's keys are never more than can be allocated at once")
    func shortAllocations() throws {
        let layers = [CacheLayer(keyValueHeadCount: 1, headSize: 16)]
        let device = CountingBackend(maxAllocation: 4096, maxRange: 1 << 20)
        let pool = MemoryPool(device: device, budgetByteCount: 1 << 20)
        let layout = CacheLayout(layers: layers, blockSize: 16, type: .bf16)
        let count = layout.blockCount(fitting: 1 << 20, on: device.device)
        #expect(count == 4096 / (16 * 16 * 2))
        _ = try KVCacheMemory(layout, blockCount: count, pool: pool)
    }

    @Test("the batch lays sequences out with slots of their own blocks")
    func batch() {
        var batch = ForwardBatch()
        batch.append(tokens: [7, 8, 9], firstPosition: 3, blocks: [5, 2], blockSize: 4)
        batch.append(tokens: [1], firstPosition: 0, blocks: [0], blockSize: 4)
        #expect(batch.positions == [3, 4, 5, 0] && batch.groups[0].slots == [23, 8, 9, 0])
        #expect(batch.queryStarts == [0, 3, 4] && batch.contextLengths == [6, 1])
        #expect(batch.groups[0].blockTables == [5, 2, 0] && batch.groups[0].blockTableStarts == [0, 2])
        batch.removeAll()
        #expect(batch.tokenCount == 0 && batch.queryStarts == [0] && batch.groups[0].blockTableStarts == [])
    }

    @Test("the callback gets the bytes allocated for each usage")
    func allocationCallback() throws {
        let calls = Mutex<[String]>([])
        let pool = MemoryPool(device: CountingBackend(), budgetByteCount: 1 << 20) { use, byteCount in
            calls.withLock { $0.append("\(use) \(byteCount)") }
        }
        _ = try pool.allocate(byteCount: 256, for: .weights)
        _ = try pool.allocate(byteCount: 10, for: .scratch)
        _ = try pool.allocate(byteCount: 300, for: .weights)
        #expect(throws: BackendError.self) { try pool.allocate(byteCount: 2 << 20, for: .cache) }
        #expect(calls.withLock { $0 } == ["weights 256", "scratch 256", "weights 768"])
    }
}
