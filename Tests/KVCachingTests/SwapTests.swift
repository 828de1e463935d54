import SharedValues
import Testing

@testable import KVCaching

@Suite("KVCacheManager, swap space")
struct SwapTests {
    private func filled(_ tokens: [Int32], in cache: inout KVCacheManager) -> BlockTable {
        var table = BlockTable()
        #expect(cache.begin(&table, tokens: tokens, salt: nil, roomFor: { tokens.count - $0 }) != nil)
        cache.register(&table, tokens: tokens, computedCount: tokens.count, salt: nil)
        return table
    }

    @Test("a table moves out block by block and comes back to other blocks")
    func roundTrip() {
        var cache = KVCacheManager(blockCount: 4, blockSize: 2, isPrefixCachingEnabled: false, swapBlockCount: 3)
        var first = filled([1, 2, 3], in: &cache)
        #expect(first.blocks == [[0, 1]] && cache.takeMoves() == [])
        #expect(cache.swapOut(&first, tokenCount: 3))
        #expect(first.blocks == [] && first.swappedBlocks == [[0, 1]])
        #expect(cache.freeBlockCount == 4 && cache.freeSwapBlockCount == 1)
        #expect(cache.takeMoves() == [BlockMove(.swapOut, from: 0, to: 0), BlockMove(.swapOut, from: 1, to: 1)])
        #expect(cache.checkInvariants(tables: [first]) == nil)
        var second = filled([7], in: &cache)
        #expect(second.blocks == [[2]])
        #expect(cache.swapIn(&first, tokenCount: 3, roomFor: 3))
        #expect(first.blocks == [[3, 1, 0]] && !first.isSwappedOut)
        #expect(cache.takeMoves() == [BlockMove(.swapIn, from: 0, to: 3), BlockMove(.swapIn, from: 1, to: 1)])
        #expect(cache.freeSwapBlockCount == 3)
        cache.free(&first)
        cache.free(&second)
        #expect(cache.checkInvariants(tables: []) == nil && cache.freeBlockCount == 4)
    }

    @Test("only blocks with tokens move, and nothing changes where there is no room")
    func full() {
        var cache = KVCacheManager(blockCount: 4, blockSize: 2, isPrefixCachingEnabled: false, swapBlockCount: 1)
        var table = filled([1, 2, 3, 4, 5], in: &cache)
        #expect(!cache.swapOut(&table, tokenCount: 4) && table.blocks == [[0, 1, 2]])
        #expect(!cache.swapOut(&table, tokenCount: 0), "nothing to move")
        #expect(cache.swapOut(&table, tokenCount: 2) && table.swappedBlocks == [[0]])
        #expect(cache.takeMoves() == [BlockMove(.swapOut, from: 0, to: 0)] && cache.freeBlockCount == 4)
        var other = filled([9, 9, 9, 9], in: &cache)
        #expect(!cache.swapIn(&table, tokenCount: 2, roomFor: 3) && table.swappedBlocks == [[0]])
        #expect(cache.checkInvariants(tables: [table, other]) == nil)
        cache.free(&table)
        cache.free(&other)
        #expect(cache.freeSwapBlockCount == 1)
    }

    @Test("blocks that were not reused meanwhile are taken back without a copy")
    func untouched() {
        var cache = KVCacheManager(blockCount: 4, blockSize: 1, swapBlockCount: 4)
        var table = filled([1, 2, 3], in: &cache)
        #expect(cache.swapOut(&table, tokenCount: 3))
        #expect(cache.takeMoves().count == 3)
        // Two are reused: the block that never held anything, and the tail.
        var other = filled([8, 9], in: &cache)
        #expect(other.blocks == [[3, 2]] && cache.takeMoves() == [])
        #expect(!cache.swapIn(&table, tokenCount: 3, roomFor: 0))
        cache.free(&other)
        #expect(cache.swapIn(&table, tokenCount: 3, roomFor: 0))
        #expect(table.blocks == [[0, 1, 2]])
        #expect(cache.takeMoves() == [BlockMove(.swapOut, from: 2, to: 3), BlockMove(.swapIn, from: 2, to: 2)])
        #expect(cache.checkInvariants(tables: [table]) == nil)
    }

    @Test("a second swap of the same blocks copies only what is new")
    func again() {
        var cache = KVCacheManager(blockCount: 4, blockSize: 1, swapBlockCount: 4)
        var table = filled([1, 2], in: &cache)
        #expect(cache.moveCount(of: table, tokenCount: 2) == 2)
        #expect(cache.swapOut(&table, tokenCount: 2))
        _ = cache.takeMoves()
        #expect(cache.swapIn(&table, tokenCount: 2, roomFor: 1))
        #expect(cache.takeMoves() == [])
        cache.register(&table, tokens: [1, 2, 3], computedCount: 3, salt: nil)
        #expect(cache.moveCount(of: table, tokenCount: 3) == 1)
        #expect(cache.swapOut(&table, tokenCount: 3))
        #expect(cache.takeMoves() == [BlockMove(.swapOut, from: 2, to: 2)])
        #expect(table.swappedBlocks == [[0, 1, 2]])
        cache.free(&table)
    }

    @Test("a prefix that two tables share is copied once and stays with the other")
    func shared() {
        var cache = KVCacheManager(blockCount: 6, blockSize: 1, swapBlockCount: 6)
        var first = filled([1, 2, 3], in: &cache)
        var second = filled([1, 2, 4], in: &cache)
        #expect(second.blocks == [[0, 1, 3]])
        #expect(cache.swapOut(&first, tokenCount: 3))
        #expect(cache.freeBlockCount == 3, "only the block of its own is free, and two that never held anything")
        #expect(cache.swapOut(&second, tokenCount: 3))
        #expect(second.swappedBlocks == [[0, 1, 3]] && first.swappedBlocks == [[0, 1, 2]])
        #expect(cache.takeMoves().count == 4)
        #expect(cache.checkInvariants(tables: [first, second]) == nil)
        cache.free(&first)
        #expect(cache.freeSwapBlockCount == 3)
        #expect(cache.swapIn(&second, tokenCount: 3, roomFor: 1))
        #expect(cache.checkInvariants(tables: [second]) == nil)
        cache.free(&second)
        #expect(cache.freeSwapBlockCount == 6 && cache.freeBlockCount == 6)
    }

    @Test("a cold prefix moves to the swap space when its blocks are reused, and is found there")
    func secondTier() {
        var cache = KVCacheManager(blockCount: 2, blockSize: 1, swapBlockCount: 2)
        var table = filled([1, 2], in: &cache)
        cache.free(&table)
        var other = filled([8, 9], in: &cache)
        #expect(cache.takeMoves() == [BlockMove(.swapOut, from: 1, to: 0), BlockMove(.swapOut, from: 0, to: 1)])
        #expect(cache.cachedPrefixCount(of: [1, 2, 3], salt: nil) == 2)
        #expect(cache.freeSwapBlockCount == 2 && cache.cachedSwapBlockCount == 2)
        cache.free(&other)
        #expect(cache.begin(&table, tokens: [1, 5], salt: nil, roomFor: { 2 - $0 }) == 1)
        // Both blocks of the swap space are in use by moves of this step, so what the reused block held is lost.
        #expect(
            cache.takeMoves() == [
                BlockMove(.swapOut, from: 0, to: 0), BlockMove(.swapIn, from: 1, to: 0),
            ])
        let blocks = table.blocks
        #expect(blocks == [[0, 1]] && cache.moveCounts.swappedHitTokens == 1)
        #expect(cache.cachedPrefixCount(of: [8, 1], salt: nil) == 0)
        #expect(cache.checkInvariants(tables: [table]) == nil)
        cache.free(&table)
    }

    @Test("the least recently used prefix of the swap space is lost first")
    func leastRecentlyUsed() {
        var cache = KVCacheManager(blockCount: 1, blockSize: 1, swapBlockCount: 2)
        for token: Int32 in [1, 2, 1, 3, 4] {
            var table = BlockTable()
            _ = cache.begin(&table, tokens: [token], salt: nil, roomFor: { 1 - $0 })
            cache.register(&table, tokens: [token], computedCount: 1, salt: nil)
            cache.free(&table)
            _ = cache.takeMoves()
        }
        let found = [1, 2, 3, 4].map { cache.cachedPrefixCount(of: [$0, 0], salt: nil) }
        #expect(found == [1, 0, 1, 1])
    }

    /// The model is the content of every block of both pools, changed by nothing but moves and writes.
    @Test("random operations never mix up contents", arguments: 0..<100)
    func random(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let groups = Worlds.groups[seed % Worlds.groups.count]
        let blockCount = groups.maximumBlockCount(forTokens: 8, chunkTokenCount: 8) + random.next(below: 6)
        let swapCount = random.next(below: 10 * groups.count)
        var world = SwapModel(
            cache: KVCacheManager(
                blockCount: blockCount, groups: groups, isPrefixCachingEnabled: seed % 4 != 0,
                swapBlockCount: swapCount))
        for step in 0..<600 {
            // A step: several operations, then its moves, then its writes.
            for _ in 0...random.next(below: 3) {
                world.operate({ random.next(below: $0) }, .random)
            }
            let broken = world.endStep()
            if !broken.isEmpty {
                Issue.record("step \(step) of \(groups): \(broken)")
                return
            }
        }
        let (broken, hitCount) = (world.freeAll(), world.hitCount)
        // Prefixes of four random tokens are rarely equal.
        #expect(broken == [] && (hitCount > 0 || seed % 4 == 0 || groups.contains { $0.blockSize == 4 }))
    }

    /// Every sequence of four operations on at most two sequences of one to five equal tokens.
    @Test("every small world keeps contents and invariants", arguments: Worlds.small, [0, 3])
    func exhaustive(groups: [CacheGroup], swapCount: Int) {
        var odometer = Odometer()
        var (worldCount, hitCount) = (0, 0)
        repeat {
            var world = SwapModel(
                cache: KVCacheManager(
                    blockCount: groups.maximumBlockCount(forTokens: 6, chunkTokenCount: 6), groups: groups,
                    swapBlockCount: swapCount),
                maximumSequenceCount: 2)
            var broken: [String] = []
            for _ in 0..<4 where broken.isEmpty {
                world.operate({ odometer.next(below: $0) }, .equal([1, 4, 5]))
                broken = world.endStep()
            }
            if broken.isEmpty { broken = world.freeAll() }
            if !broken.isEmpty {
                Issue.record("choices \(odometer.digits): \(broken)")
                return
            }
            (worldCount, hitCount) = (worldCount + 1, hitCount + world.hitCount)
        } while odometer.advance()
        #expect(worldCount > 1000 && hitCount > 0)
    }
}

/// Cache groups of small worlds.
enum Worlds {
    /// Two and three groups with windows, in blocks of one and of two sizes.
    static let small: [[CacheGroup]] = [
        [CacheGroup(blockSize: 2), CacheGroup(blockSize: 2, slidingWindow: 3)],
        [CacheGroup(blockSize: 1, slidingWindow: 1), CacheGroup(blockSize: 1, slidingWindow: 4)],
        [
            CacheGroup(blockSize: 2), CacheGroup(blockSize: 1, slidingWindow: 2),
            CacheGroup(blockSize: 1, slidingWindow: 2),
        ],
    ]

    static let groups: [[CacheGroup]] =
        small
        + [1, 2, 4].flatMap { size in
            [nil, 1, 3, 4].map { [CacheGroup(blockSize: size, slidingWindow: $0)] }
        } + [
            [CacheGroup(blockSize: 4), CacheGroup(blockSize: 2, slidingWindow: 3)],
            [
                CacheGroup(blockSize: 2), CacheGroup(blockSize: 4, slidingWindow: 5),
                CacheGroup(blockSize: 2, slidingWindow: 1),
            ],
        ]
}

/// Goes through all sequences of choices: each run repeats the choices of the one before it up to the last that can be
/// made otherwise.
struct Odometer {
    private(set) var digits: [Int] = []
    private var bounds: [Int] = []
    private var position = 0

    mutating func next(below bound: Int) -> Int {
        if position == digits.count {
            digits.append(0)
            bounds.append(bound)
        }
        defer { position += 1 }
        return digits[position]
    }

    /// Prepares the next run; false after the last one.
    mutating func advance() -> Bool {
        position = 0
        while let digit = digits.last, digit + 1 == bounds[digits.count - 1] {
            digits.removeLast()
            bounds.removeLast()
        }
        guard let digit = digits.last else { return false }
        digits[digits.count - 1] = digit + 1
        return true
    }
}
