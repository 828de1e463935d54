import Testing

@testable import KVCaching

@Suite("KVCacheManager, sliding window")
struct SlidingWindowTests {
    @Test(
        "a block is given back when the next token sees none of it",
        arguments: [(1, [1, 2]), (2, [0, 1]), (3, [0, 1])])
    func exact(window: Int, freed: [Int]) {
        var cache = KVCacheManager(blockCount: 4, blockSize: 2, isPrefixCachingEnabled: false, slidingWindow: window)
        var table = BlockTable()
        #expect(cache.begin(&table, tokens: [1], salt: nil, roomFor: { _ in 5 }) == 0)
        // The token at position 2 sees positions from 3 - window on, that at position 4 those from 5 - window on.
        for (computed, count) in zip([2, 4], freed) {
            cache.freeUnseen(&table, computedCount: computed)
            #expect(table.unseenCounts == [count] && table.heldCount == 3 - count)
            #expect(Array(table.blocks[0].prefix(count)) == Array(repeating: BlockTable.none, count: count))
            #expect(cache.freeBlockCount == 1 + count)
            #expect(cache.checkInvariants(tables: [table]) == nil)
        }
        #expect(cache.extend(&table, toTokens: 7) && table.blocks[0].count == 4)
        cache.free(&table)
        #expect(cache.freeBlockCount == 4)
    }

    @Test("a prefix is found whole; only its blocks in the window are taken")
    func prefix() {
        var cache = KVCacheManager(blockCount: 6, blockSize: 1, slidingWindow: 2)
        var table = BlockTable()
        let tokens: [Int32] = [1, 2, 3, 4]
        #expect(cache.begin(&table, tokens: tokens, salt: nil, roomFor: { 4 - $0 }) == 0)
        cache.register(&table, tokens: tokens, computedCount: 4, salt: nil)
        cache.freeUnseen(&table, computedCount: 4)
        #expect(table.blocks == [[-1, -1, -1, 3]])
        var second = BlockTable()
        #expect(cache.begin(&second, tokens: tokens + [5], salt: nil, roomFor: { 5 - $0 }) == 4)
        #expect(second.blocks == [[-1, -1, -1, 3, 4]] && cache.freeBlockCount == 4)
        #expect(cache.checkInvariants(tables: [table, second]) == nil)
        cache.free(&table)
        cache.free(&second)
        #expect(cache.freeBlockCount == 6)
    }

    @Test("only blocks in the window are swapped")
    func swap() {
        var cache = KVCacheManager(
            blockCount: 4, blockSize: 1, isPrefixCachingEnabled: false, swapBlockCount: 2, slidingWindow: 3)
        var table = BlockTable()
        #expect(cache.begin(&table, tokens: [1], salt: nil, roomFor: { _ in 4 }) == 0)
        cache.freeUnseen(&table, computedCount: 4)
        #expect(table.blocks == [[-1, -1, 2, 3]])
        #expect(cache.moveCount(of: table, tokenCount: 4) == 2)
        #expect(cache.swapOut(&table, tokenCount: 4))
        #expect(table.swappedBlocks == [[-1, -1, 0, 1]] && cache.takeMoves().count == 2)
        #expect(cache.checkInvariants(tables: [table]) == nil)
        #expect(cache.swapIn(&table, tokenCount: 4, roomFor: 1))
        #expect(table.blocks[0].prefix(2) == [-1, -1] && table.blocks[0].count == 5)
        #expect(cache.takeMoves().count == 2 && cache.freeBlockCount == 1)
        cache.free(&table)
        #expect(cache.freeBlockCount == 4 && cache.freeSwapBlockCount == 2)
    }
}
