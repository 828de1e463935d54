import Backends
import KVCaching
import SharedValues
import Testing

@Suite("CacheLayout")
struct CacheLayoutTests {
    /// A plan with one attention a layer. Layers without a shape of their own have one head of 8.
    private func plan(
        _ windows: [Int?], _ shape: (Int) -> CacheLayer = { _ in CacheLayer(keyValueHeadCount: 1, headSize: 8) }
    ) -> ForwardPlan {
        var plan = ForwardPlan()
        for (index, window) in windows.enumerated() {
            let layer = plan.addCacheLayer(shape(index))
            attend(to: layer, window, in: &plan)
        }
        return plan
    }

    private func attend(to layer: Int, _ window: Int?, in plan: inout ForwardPlan) {
        let (query, output) = (plan.addValue(rows: .tokens, width: 8), plan.addValue(rows: .tokens, width: 8))
        plan.append(
            .pagedAttention(
                layer: layer, query: query,
                attention: AttentionShape(queryHeadCount: 1, scale: 1, slidingWindow: window), output: output))
    }

    /// `count` layers, the last of every `interval` of which sees all positions.
    private func gemma(_ count: Int, interval: Int = 6, window: Int = 512, _ shape: CacheLayer) -> ForwardPlan {
        plan((1...count).map { $0 % interval == 0 ? nil : window }) { _ in shape }
    }

    @Test("one class of windows is one group with a physical layer for each layer, in order", arguments: [nil, 4])
    func oneClass(window: Int?) {
        let layout = CacheLayout(
            plan([window, window, window]) { CacheLayer(keyValueHeadCount: $0 + 1, headSize: 8) }, blockSize: 16,
            type: .f16)
        #expect(layout.groups == [CacheGroup(blockSize: 16, slidingWindow: window)])
        #expect(layout.layers.map(\.physicalLayer) == [0, 1, 2] && layout.layers.allSatisfy { $0.group == 0 })
        #expect(layout.physicalBlockByteCounts == [256, 512, 768] && layout.blockByteCount == 3072)
        #expect(layout.tokenByteCount * 16 == layout.blockByteCount)
        let empty = CacheLayout(plan([]), blockSize: 16, type: .f16)
        #expect(empty.groups == [CacheGroup(blockSize: 16)] && empty.blockByteCount == 0)
    }

    @Test("a layer that several attentions read has the widest window, and one that none reads keeps everything")
    func widest() {
        var plan = plan([4, 4, 8])
        attend(to: 0, 6, in: &plan)
        attend(to: 1, nil, in: &plan)
        attend(to: 1, 2, in: &plan)
        _ = plan.addCacheLayer(CacheLayer(keyValueHeadCount: 1, headSize: 8))
        #expect(plan.layerWindows == [6, nil, 8, nil])
        let layout = CacheLayout(plan, blockSize: 4, type: .f32)
        #expect(layout.groups.map(\.slidingWindow) == [6, nil, 8] && layout.physicalBlockByteCounts.count == 2)
        #expect(layout.layers.map(\.group) == [0, 1, 2, 1] && layout.layers.map(\.physicalLayer) == [0, 0, 0, 1])
    }

    /// Layers, groups, layers in a group, and the part of a sequence of 8,192 tokens that is unused, in thousandths.
    @Test(
        "groups have as many layers as waste allows",
        arguments: [(18, 6, 3, 0), (26, 7, 4, 22), (34, 7, 5, 9), (48, 6, 8, 0), (62, 13, 5, 13)])
    func gemmaLayers(count: Int, groupCount: Int, layerCount: Int, waste: Int) {
        let layout = CacheLayout(
            gemma(count, CacheLayer(keyValueHeadCount: 1, headSize: 256)), blockSize: 16, type: .bf16)
        #expect(layout.groups.count == groupCount && layout.physicalBlockByteCounts.count == layerCount)
        // Every layer has a place of its own.
        #expect(Set(layout.layers.map { [$0.group, $0.physicalLayer] }).count == count)
        #expect(layout.layers.allSatisfy { $0.blockByteCount == 16 * $0.tokenByteCount })
        let taken = layout.groups.reduce(0) { $0 + min($1.slidingWindow ?? 8192, 8192) } * layerCount
        let used = (1...count).reduce(0) { $0 + ($1 % 6 == 0 ? 8192 : 512) }
        #expect((taken - used) * 1000 / taken == waste)
    }

    @Test("Gemma 3 270M takes the bytes of its windows at 8,192 tokens, and a prompt no more than a chunk beside them")
    func gemmaBytes() {
        let layout = CacheLayout(
            gemma(18, CacheLayer(keyValueHeadCount: 1, headSize: 256)), blockSize: 16, type: .bf16)
        var cache = KVCacheManager(blockCount: 4000, groups: layout.groups, isPrefixCachingEnabled: false)
        var table = BlockTable()
        let (length, chunk) = (8192, 512)
        var largest = 0
        for end in stride(from: chunk, through: length, by: chunk) {
            let hasRoom =
                end == chunk
                ? cache.begin(&table, tokens: [1], salt: nil, roomFor: { _ in end }) == 0
                : cache.extend(&table, toTokens: end)
            #expect(hasRoom)
            largest = max(largest, table.heldCount)
            cache.freeUnseen(&table, computedCount: end)
        }
        // Keys and values of one head of 256 numbers of two bytes.
        let arithmetic = (3 * length + 15 * 512) * 2 * 256 * 2
        let held = table.heldCount * layout.blockByteCount
        #expect(held >= arithmetic && Double(held) < 1.03 * Double(arithmetic), "\(held) of \(arithmetic) bytes")
        #expect(largest <= layout.groups.maximumBlockCount(forTokens: length, chunkTokenCount: chunk))
        // In one group, all layers would keep all tokens: four times as much.
        #expect(held * 4 < 18 * length * 1024)
        cache.free(&table)
    }

    @Test("a group whose tokens take fewer bytes holds more of them in a block")
    func blockSizes() {
        // Eight heads of 256 in the window, and two of 512 without.
        let narrow = CacheLayout(
            plan([64, nil]) { CacheLayer(keyValueHeadCount: $0 == 0 ? 8 : 2, headSize: $0 == 0 ? 256 : 512) },
            blockSize: 16, type: .f16)
        #expect(narrow.groups.map(\.blockSize) == [16, 32])
        #expect(narrow.physicalBlockByteCounts == [16 * 8 * 256 * 2])
        #expect(narrow.layers[1].byteOffset(ofSlot: 33) == 65536 + 2048)
        // Scales of int8 heads make the ratio 2.016: blocks of the second group are padded.
        let padded = CacheLayout(
            plan([64, nil]) { CacheLayer(keyValueHeadCount: $0 == 0 ? 8 : 2, headSize: $0 == 0 ? 256 : 512) },
            blockSize: 16, type: .int8)
        #expect(padded.groups.map(\.blockSize) == [16, 32])
        #expect(padded.physicalBlockByteCounts == [16 * 8 * 260] && padded.layers[1].tokenByteCount == 2 * 516)
        #expect(padded.layers[1].byteOffset(ofSlot: 33) == 33280 + 1032)
        // No block holds more than 256 tokens.
        let many = CacheLayout(
            plan([64, nil]) { CacheLayer(keyValueHeadCount: $0 == 0 ? 64 : 1, headSize: 16) }, blockSize: 16, type: .f16
        )
        #expect(many.groups.map(\.blockSize) == [16, 256])
    }

    @Test("a batch has slots and tables in every group, without blocks before the window")
    func batch() {
        let groups = [CacheGroup(blockSize: 4), CacheGroup(blockSize: 2, slidingWindow: 3)]
        var batch = ForwardBatch(groups: groups)
        batch.append(tokens: [7, 8], firstPosition: 5, blocks: [[9, 2], [-1, 4, 1, 3]])
        batch.append(tokens: [1], firstPosition: 0, blocks: [[0], [6]])
        #expect(batch.positions == [5, 6, 0] && batch.contextLengths == [7, 1])
        #expect(batch.groups[0].slots == [9, 10, 0] && batch.groups[1].slots == [3, 6, 12])
        #expect(batch.groups[0].blockTables == [9, 2, 0] && batch.groups[0].blockTableStarts == [0, 2])
        // The token at position 5 sees positions from 3 on, in the second block.
        #expect(batch.groups[1].blockTables == [4, 1, 3, 6] && batch.groups[1].blockTableStarts == [-1, 3])
        batch.removeAll()
        #expect(batch.groups.allSatisfy { $0.slots.isEmpty && $0.blockTableStarts.isEmpty })
    }
}
