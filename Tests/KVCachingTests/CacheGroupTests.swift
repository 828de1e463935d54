import SharedValues
import Testing

@testable import KVCaching

@Suite("KVCacheManager, cache groups")
struct CacheGroupTests {
    private static let full = CacheGroup(blockSize: 2)
    private static let sliding = CacheGroup(blockSize: 2, slidingWindow: 3)

    private func filled(_ tokens: [Int32], in cache: inout KVCacheManager) -> BlockTable {
        var table = BlockTable()
        #expect(cache.begin(&table, tokens: tokens, salt: nil, roomFor: { tokens.count - $0 }) != nil)
        cache.register(&table, tokens: tokens, computedCount: tokens.count, salt: nil)
        cache.freeUnseen(&table, computedCount: tokens.count)
        return table
    }

    @Test("a sequence gets blocks of all groups or none, and only sliding groups give theirs back")
    func allOrNothing() {
        var cache = KVCacheManager(blockCount: 7, groups: [Self.full, Self.sliding], isPrefixCachingEnabled: false)
        var table = filled([1, 2, 3, 4, 5], in: &cache)
        // The token at position 5 sees positions from 3 on.
        #expect(table.blocks == [[0, 1, 2], [-1, 4, 5]] && table.unseenCounts == [0, 1] && table.heldCount == 5)
        #expect(cache.freeBlockCount == 2 && cache.checkInvariants(tables: [table]) == nil)
        var other = BlockTable()
        #expect(cache.begin(&other, tokens: [1, 2, 3], salt: nil, roomFor: { 3 - $0 }) == nil)
        #expect(!cache.extend(&table, toTokens: 9) && other.isEmpty && cache.freeBlockCount == 2)
        #expect(cache.extend(&table, toTokens: 8) && table.blocks == [[0, 1, 2, 6], [-1, 4, 5, 3]])
        cache.free(&table)
        #expect(cache.freeBlockCount == 7)
    }

    @Test("a cached prefix needs all blocks of full groups and the window's of sliding ones")
    func windowHit() {
        var cache = KVCacheManager(blockCount: 16, groups: [Self.full, Self.sliding])
        let tokens: [Int32] = [1, 2, 3, 4, 5, 6, 7, 8]
        var table = filled(tokens, in: &cache)
        cache.free(&table)
        #expect(cache.cachedPrefixCount(of: tokens + [9], salt: nil) == 8)
        #expect(cache.begin(&table, tokens: tokens + [9], salt: nil, roomFor: { 9 - $0 }) == 8)
        // The token at position 8 sees positions from 6 on: one block of the sliding group, and the new one.
        #expect(table.blocks[0].count == 5 && table.blocks[1].prefix(3) == [-1, -1, -1])
        #expect(table.unseenCounts == [0, 3] && table.heldCount == 7)
        #expect(cache.checkInvariants(tables: [table]) == nil)
        cache.free(&table)
        // Another length needs other blocks of the window.
        for count in 3...8 {
            let expected = (count - 1) / 2 * 2
            #expect(cache.cachedPrefixCount(of: Array(tokens.prefix(count)), salt: nil) == expected)
        }
    }

    @Test("where a window's block is gone, the longest prefix before it is found")
    func gap() {
        // The only free blocks are those of the sliding group behind the window, and they are reused.
        var cache = KVCacheManager(blockCount: 8, groups: [Self.full, Self.sliding])
        let tokens: [Int32] = [1, 2, 3, 4, 5, 6, 7, 8]
        var table = filled(tokens, in: &cache)
        #expect(cache.freeBlockCount == 3 && table.unseenCounts == [0, 3])
        var other = filled([7, 7], in: &cache)
        // Two of the three blocks were reused, those of positions 4 and 5 first, then 2 and 3.
        #expect(cache.cachedPrefixCount(of: [1, 2, 3, 4, 5, 6, 9], salt: nil) == 2)
        #expect(cache.cachedPrefixCount(of: tokens + [9], salt: nil) == 8, "its window is still there")
        cache.free(&other)
        cache.free(&table)
        #expect(cache.checkInvariants(tables: []) == nil)
    }

    @Test("blocks of two sizes hold the same tokens, and prefixes end where blocks of both do")
    func twoSizes() {
        let groups = [CacheGroup(blockSize: 4), CacheGroup(blockSize: 2, slidingWindow: 2)]
        var cache = KVCacheManager(blockCount: 12, groups: groups)
        #expect(cache.capacityTokenCount == 16)
        let tokens: [Int32] = [1, 2, 3, 4, 5, 6, 7]
        var table = filled(tokens, in: &cache)
        #expect(table.blocks.map(\.count) == [2, 4] && table.unseenCounts == [0, 3])
        cache.free(&table)
        #expect(cache.cachedPrefixCount(of: tokens, salt: nil) == 4)
        #expect(cache.begin(&table, tokens: tokens, salt: nil, roomFor: { 7 - $0 }) == 4)
        #expect(table.blocks.map(\.count) == [2, 4] && cache.checkInvariants(tables: [table]) == nil)
        cache.free(&table)
        #expect(cache.freeBlockCount == 12)
    }

    @Test("a fork shares the full blocks of every group and copies each partly filled one")
    func fork() {
        // What the last token of the prompt sees is still there after the prompt.
        let groups = [Self.full, CacheGroup(blockSize: 2, slidingWindow: 4)]
        var cache = KVCacheManager(blockCount: 16, groups: groups)
        let tokens: [Int32] = [1, 2, 3, 4, 5, 6]
        var table = filled(tokens, in: &cache)
        var second = BlockTable()
        #expect(cache.fork(&second, from: table, tokens: tokens, roomFor: 1) == true)
        #expect(second.blocks[0].prefix(2) == table.blocks[0].prefix(2))
        #expect(second.unseenCounts == [0, 1] && second.blocks[1][1] == table.blocks[1][1])
        let copied = [table.blocks[0][2], table.blocks[1][2]]
        #expect(cache.takeMoves().map(\.source) == copied && cache.freeBlockCount == 16 - 5 - 2)
        #expect(cache.checkInvariants(tables: [table, second]) == nil)
        cache.free(&table)
        cache.free(&second)
        #expect(cache.freeBlockCount == 16)
    }

    @Test("blocks of all groups are swapped, those behind the window are not")
    func swap() {
        var cache = KVCacheManager(
            blockCount: 6, groups: [Self.full, Self.sliding], isPrefixCachingEnabled: false, swapBlockCount: 5)
        var table = filled([1, 2, 3, 4, 5], in: &cache)
        #expect(cache.moveCount(of: table, tokenCount: 5) == 5 && cache.keptBlockCount(of: table, tokenCount: 5) == 5)
        #expect(cache.swapOut(&table, tokenCount: 5) && table.swappedBlocks == [[0, 1, 2], [-1, 3, 4]])
        #expect(cache.takeMoves().count == 5 && cache.freeBlockCount == 6 && cache.holds(table, tokenCount: 5))
        #expect(!cache.swapIn(&table, tokenCount: 5, roomFor: 2) && table.isSwappedOut)
        #expect(cache.swapIn(&table, tokenCount: 5, roomFor: 1) && table.blocks.map(\.count) == [3, 3])
        #expect(cache.takeMoves().count == 5 && cache.checkInvariants(tables: [table]) == nil)
        cache.free(&table)
        #expect(cache.freeBlockCount == 6 && cache.freeSwapBlockCount == 5)
    }

    /// Every window and block size, every length and chunk: the blocks really held against the arithmetic.
    @Test("a sequence never holds more blocks than the bound, and long ones reach it", arguments: [1, 2, 4])
    func bound(blockSize: Int) {
        for window in [nil, 1, 2, 3, 5, 8] {
            let group = CacheGroup(blockSize: blockSize, slidingWindow: window)
            for chunk in 1...6 {
                let length = 40
                var largest = 0
                // The first chunk may be shorter, so that chunks begin anywhere in a block.
                for first in 1...chunk {
                    var cache = KVCacheManager(blockCount: 64, groups: [group], isPrefixCachingEnabled: false)
                    var table = BlockTable()
                    var computed = 0
                    while computed < length {
                        let next = min(length, computed + (computed == 0 ? first : chunk))
                        if computed == 0 {
                            #expect(cache.begin(&table, tokens: [1], salt: nil, roomFor: { _ in next }) == 0)
                        } else {
                            #expect(cache.extend(&table, toTokens: next))
                        }
                        largest = max(largest, table.heldCount)
                        #expect(
                            table.heldCount <= group.maximumBlockCount(forTokens: next, chunkTokenCount: chunk))
                        computed = next
                        cache.freeUnseen(&table, computedCount: computed)
                    }
                    cache.free(&table)
                }
                let bound = group.maximumBlockCount(forTokens: length, chunkTokenCount: chunk)
                #expect(largest == bound, "window \(window ?? 0), chunk \(chunk)")
            }
        }
    }

    @Test("the longest sequence that fits is the last whose bound fits")
    func longest() {
        let groups = [Self.full, Self.sliding, CacheGroup(blockSize: 4, slidingWindow: 7)]
        for blockCount in 0...40 {
            for chunk in [1, 3, 8] {
                let longest = groups.maximumTokenCount(inBlocks: blockCount, chunkTokenCount: chunk, limit: 60)
                let fitting = (0...60).filter {
                    groups.maximumBlockCount(forTokens: $0, chunkTokenCount: chunk) <= blockCount
                }
                #expect(longest == fitting.last)
            }
        }
    }
}
