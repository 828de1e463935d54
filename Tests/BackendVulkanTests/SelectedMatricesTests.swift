import BackendConformance
import Backends
import Lowering
import SharedValues
import Tensors
import Testing

@testable import BackendConformance
@testable import BackendVulkan

/// How rows are grouped by the matrices that they choose.
@Suite(.serialized) struct SelectedMatricesTests {
    @Test("A list has every pair once, no tile is too large, and it fits the room for it")
    func lists() {
        var random = SplitMix64(seed: 1)
        for (matrixCount, choiceCount) in [(1, 1), (5, 2), (8, 8), (128, 8), (1024, 4)] {
            let grouping = RowGrouping(matrixCount: matrixCount, choiceCount: choiceCount)
            for rowCount in [1, 2, 9, 70] {
                for rowsPerTile in [2, 8, 64] {
                    let matrices = (0..<rowCount * choiceCount).map { _ in
                        Int.random(in: 0..<matrixCount, using: &random)
                    }
                    let start = grouping.pairsStart(maxRowCount: rowCount)
                    let list = grouping.list(matrices, rowsPerTile: rowsPerTile, pairsStart: start)
                    #expect(list.count == grouping.wordCount(maxRowCount: rowCount))
                    #expect(Int(list[0]) <= grouping.maxTileCount(rows: rowCount, rowsPerTile: rowsPerTile))
                    var seen: [UInt32] = []
                    for tile in 0..<Int(list[0]) {
                        let (matrix, first, count) = (list[4 + 4 * tile], list[5 + 4 * tile], list[6 + 4 * tile])
                        #expect((1...rowsPerTile).contains(Int(count)))
                        let pairs = list[(start + Int(first))..<(start + Int(first + count))]
                        #expect(pairs.allSatisfy { matrices[Int($0)] == Int(matrix) })
                        seen += pairs
                    }
                    #expect(seen.sorted() == matrices.indices.map { UInt32($0) })
                }
            }
        }
    }

    @Test("Rows are grouped as soon as a tenth of the matrices would be read twice; a GEMM needs half a tile for each")
    func thresholds() {
        func grouping(_ choices: Int, of count: Int) -> RowGrouping {
            RowGrouping(matrixCount: count, choiceCount: choices)
        }
        #expect(grouping(8, of: 128).unsharedRowCount == 4)
        #expect(grouping(4, of: 32).unsharedRowCount == 2)
        #expect(grouping(2, of: 8).unsharedRowCount == 1)
        #expect(grouping(1, of: 1).unsharedRowCount == 1)
        // 64 rows choose 512 times among 128.
        #expect((60...64).contains(grouping(8, of: 128).maxRowCount(rowsPerTile: 8)))
        #expect(grouping(1, of: 1).maxRowCount(rowsPerTile: 8) == 4)
    }

    @Test("A step without adapters dispatches what a plan without slots does; one with them, two more stages a layer")
    func skippedAdapters() throws {
        let device = try #require(TestDevice.quick.first)
        let backend = try device.backend()
        var sketch = PlanSketch(seed: 4)
        let input = sketch.input(64)
        let gate = sketch.linear(input, 96, .bf16)
        let up = sketch.linear(input, 96, .bf16)
        let down = sketch.linear(sketch.gated(gate, up, .silu), 64, .bf16)
        let plan = sketch.finished(down)
        let slotted = plan.withAdapters(AdapterLimits(slotCount: 3, rank: 8, elementType: .bf16))
        let limits = BatchLimits(maxTokenCount: 40, maxSequenceCount: 3, maxSampleCount: 40, maxContextLength: 40)
        func dispatches(_ plan: ForwardPlan, slots: [Int?]) throws -> Int {
            let pool = MemoryPool(device: backend, budgetByteCount: 1 << 26, chunkByteCount: 1 << 20)
            let prepared = try backend.prepare(plan, limits: limits, pool: pool)
            let layout = CacheLayout(plan, blockSize: 16, type: .f16)
            try prepared.attach(KVCacheMemory(layout, blockCount: 4, pool: pool))
            var batch = ForwardBatch(groups: layout.groups)
            for slot in slots {
                batch.append(
                    tokens: [1, 2, 3], firstPosition: 0, blocks: layout.groups.map { _ in [0] }, adapterSlot: slot)
            }
            batch.sampleRows = [0]
            let before = backend.counters.dispatches
            try prepared.submit(batch)
            _ = try prepared.wait()
            return backend.counters.dispatches - before
        }
        let base = try dispatches(plan, slots: [nil, nil])
        #expect(try dispatches(slotted, slots: [nil, nil]) == base)
        // A dispatch for each of two products with each of three matrices.
        #expect(try dispatches(slotted, slots: [nil, 1]) == base + 6)
        #expect(try dispatches(slotted, slots: [0, 1, 2]) == base + 6)
        let lowered = try LoweredPlan(slotted, for: VulkanLowering(), limits: limits)
        #expect(lowered.stages.map(\.count).filter { $0 > 1 } == [2, 2])
    }

    @Test("A step moves the matrices that its rows choose, and hardly any of them twice")
    func movedBytes() throws {
        let device = try #require(TestDevice.quick.first)
        let backend = try device.backend()
        var sketch = PlanSketch(seed: 6)
        let output = Self.layer(&sketch, width: 64, innerWidth: 32, count: 32, choices: 4)
        let plan = sketch.finished(output)
        for rowCount in [1, 2, 3, 16, 64] {
            let timings = try Self.timings(of: plan, rowCount: rowCount, on: backend)
                .filter { $0.label.hasPrefix("experts") }
            #expect(timings.count == 3)
            for timing in timings {
                let moved = try #require(timing.movedByteCount)
                // Rows in and out, and from as many matrices as a row chooses to all of them.
                let inOut = rowCount * (timing.label.contains("64 to 32") ? 64 + 4 * 32 : 4 * (32 + 64)) * 4
                let matrices = (timing.byteCount - inOut) / (64 * 32 * 2)
                #expect((4...min(32, 4 * rowCount)).contains(matrices))
                #expect(timing.byteCount == inOut + matrices * 64 * 32 * 2)
                #expect(rowCount == 1 ? moved == timing.byteCount : moved >= timing.byteCount)
                #expect(moved - inOut <= matrices * 64 * 32 * 2 * (rowCount < 64 ? 6 : 9) / 5)
            }
        }
    }

    /// A feed-forward layer of experts.
    static func layer(
        _ sketch: inout PlanSketch, width: Int, innerWidth: Int, count: Int, choices: Int
    ) -> ValueID {
        let input = sketch.input(width)
        return sketch.experts(of: input, count, choices, hasBias: false) { sketch, name in
            let (rows, columns) = name == "down" ? (width, innerWidth) : (innerWidth, width)
            let numbers = sketch.random.floats(rows * columns, bound: 0.1)
            return .dense(HostTensor(numbers, shape: [rows, columns], as: .bf16))
        }
    }

    static func timings(
        of plan: ForwardPlan, rowCount: Int, on backend: VulkanBackend
    ) throws -> [KernelTiming] {
        let pool = MemoryPool(device: backend, budgetByteCount: 1 << 28, chunkByteCount: 1 << 24)
        let limits = BatchLimits(
            maxTokenCount: rowCount, maxSequenceCount: 1, maxSampleCount: 1, maxContextLength: rowCount)
        let prepared = try backend.prepare(plan, limits: limits, pool: pool)
        let layout = CacheLayout(plan, blockSize: 64, type: .f16)
        try prepared.attach(KVCacheMemory(layout, blockCount: 4, pool: pool))
        var batch = ForwardBatch(groups: layout.groups)
        batch.append(
            tokens: (0..<rowCount).map { Int32($0 % PlanSketch.vocabularySize) }, firstPosition: 0,
            blocks: layout.groups.map { _ in [0] })
        batch.sampleRows = [0]
        return try prepared.time(batch)
    }
}
