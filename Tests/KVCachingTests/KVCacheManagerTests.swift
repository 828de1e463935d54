import SharedValues
import Testing

@testable import KVCaching

@Suite("KVCacheManager")
struct KVCacheManagerTests {
    @Test("a table grows by exact blocks, all or nothing, and gives them back tail first")
    func growth() {
        var cache = KVCacheManager(blockCount: 4, blockSize: 4)
        var table = BlockTable()
        #expect(cache.begin(&table, tokens: [1, 2, 3, 4, 5], salt: nil, roomFor: { _ in 5 }) == 0)
        #expect(table.blocks == [[0, 1]])
        #expect(cache.extend(&table, toTokens: 8))
        #expect(table.blocks == [[0, 1]])
        #expect(!cache.extend(&table, toTokens: 17))
        #expect(table.blocks == [[0, 1]] && cache.freeBlockCount == 2)
        #expect(cache.extend(&table, toTokens: 9))
        #expect(table.blocks == [[0, 1, 2]])
        cache.free(&table)
        #expect(table.blocks.isEmpty && cache.freeBlockCount == 4)
        #expect(cache.begin(&table, tokens: [9], salt: nil, roomFor: { _ in 16 }) == 0)
        #expect(table.blocks == [[3, 2, 1, 0]])
    }

    @Test("a prefix of whole blocks is shared, and the last token is always left to compute")
    func sharing() {
        var cache = KVCacheManager(blockCount: 8, blockSize: 2)
        var first = BlockTable()
        var second = BlockTable()
        let tokens: [Int32] = [1, 2, 3, 4]
        #expect(cache.begin(&first, tokens: tokens, salt: nil, roomFor: { _ in 4 }) == 0)
        #expect(cache.cachedPrefixCount(of: tokens, salt: nil) == 0, "nothing is findable before it is computed")
        cache.register(&first, tokens: tokens, computedCount: 3, salt: nil)
        #expect(cache.cachedPrefixCount(of: [1, 2, 3], salt: nil) == 2)
        cache.register(&first, tokens: tokens, computedCount: 4, salt: nil)
        #expect(cache.cachedPrefixCount(of: [1, 2, 3, 4], salt: nil) == 2)
        #expect(cache.cachedPrefixCount(of: [1, 2, 3, 4, 5], salt: nil) == 4)
        #expect(cache.cachedPrefixCount(of: [7, 2, 3, 4, 5], salt: nil) == 0)
        #expect(cache.cachedPrefixCount(of: [1, 2, 3, 4, 5], salt: "tenant") == 0)
        #expect(cache.begin(&second, tokens: [1, 2, 3, 4, 5], salt: nil, roomFor: { 5 - $0 }) == 4)
        #expect(second.blocks == [[0, 1, 2]])
        #expect(cache.checkInvariants(tables: [first, second]) == nil)
        cache.free(&first)
        #expect(cache.freeBlockCount == 5, "shared blocks stay referenced")
        cache.free(&second)
        #expect(cache.freeBlockCount == 8)
    }

    @Test("a freed prefix is found again until its blocks are reused, heads last")
    func eviction() {
        var cache = KVCacheManager(blockCount: 3, blockSize: 1)
        var table = BlockTable()
        #expect(cache.begin(&table, tokens: [1, 2, 3], salt: nil, roomFor: { _ in 3 }) == 0)
        cache.register(&table, tokens: [1, 2, 3], computedCount: 3, salt: nil)
        cache.free(&table)
        #expect(cache.cachedPrefixCount(of: [1, 2, 3, 4], salt: nil) == 3)
        #expect(cache.begin(&table, tokens: [8], salt: nil, roomFor: { _ in 1 }) == 0)
        #expect(cache.cachedPrefixCount(of: [1, 2, 3, 4], salt: nil) == 2)
        cache.free(&table)
    }

    @Test("no room for revived and new blocks together changes nothing")
    func revivedBlocksCount() {
        var cache = KVCacheManager(blockCount: 2, blockSize: 1)
        var table = BlockTable()
        #expect(cache.begin(&table, tokens: [1], salt: nil, roomFor: { _ in 1 }) == 0)
        cache.register(&table, tokens: [1], computedCount: 1, salt: nil)
        cache.free(&table)
        #expect(cache.begin(&table, tokens: [1, 2, 3], salt: nil, roomFor: { 3 - $0 }) == nil)
        #expect(table.blocks.isEmpty && cache.freeBlockCount == 2)
        #expect(cache.checkInvariants(tables: []) == nil)
    }

    @Test("without prefix caching nothing is shared")
    func disabled() {
        var cache = KVCacheManager(blockCount: 4, blockSize: 1, isPrefixCachingEnabled: false)
        var table = BlockTable()
        #expect(cache.begin(&table, tokens: [1, 2], salt: nil, roomFor: { _ in 2 }) == 0)
        cache.register(&table, tokens: [1, 2], computedCount: 2, salt: nil)
        #expect(cache.cachedPrefixCount(of: [1, 2, 3], salt: nil) == 0)
        #expect(cache.cachedBlockCount == 0)
    }

    /// A thousand random operations of a few sequences over two tokens, so that prefixes collide all the time. The
    /// model is the content of each block: a prefix that is found must hold exactly the tokens asked for.
    @Test("random operations keep every invariant and never find a wrong prefix", arguments: 0..<20)
    func random(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let blockSize = [1, 2, 4][seed % 3]
        let blockCount = 3 + seed % 7
        var cache = KVCacheManager(blockCount: blockCount, blockSize: blockSize)
        var contents = [[Int32]](repeating: [], count: blockCount)
        struct Sequence {
            var tokens: [Int32]
            var computed: Int
            var table = BlockTable()
        }
        var sequences: [Sequence] = []
        for _ in 0..<1000 {
            switch random.next(below: 4) {
            case 0:
                let count = 1 + random.next(below: 6)
                var sequence = Sequence(tokens: (0..<count).map { _ in Int32(random.next(below: 2)) }, computed: 0)
                guard
                    let cached = cache.begin(
                        &sequence.table, tokens: sequence.tokens, salt: nil, roomFor: { count - $0 })
                else { break }
                #expect(cached < count && cached % blockSize == 0)
                for position in 0..<cached {
                    let held = contents[Int(sequence.table.blocks[0][position / blockSize])]
                    #expect(held[position % blockSize] == sequence.tokens[position])
                }
                for position in cached..<count { write(sequence.tokens[position], at: position, of: sequence.table) }
                sequence.computed = count
                cache.register(&sequence.table, tokens: sequence.tokens, computedCount: count, salt: nil)
                sequences.append(sequence)
            case 1, 2:
                guard !sequences.isEmpty else { break }
                let index = random.next(below: sequences.count)
                let length = sequences[index].tokens.count
                guard cache.extend(&sequences[index].table, toTokens: length + 1) else { break }
                let token = Int32(random.next(below: 2))
                sequences[index].tokens.append(token)
                write(token, at: length, of: sequences[index].table)
                sequences[index].computed += 1
                cache.register(
                    &sequences[index].table, tokens: sequences[index].tokens, computedCount: length + 1, salt: nil)
            default:
                guard !sequences.isEmpty else { break }
                var sequence = sequences.remove(at: random.next(below: sequences.count))
                cache.free(&sequence.table)
            }
            #expect(cache.checkInvariants(tables: sequences.map(\.table)) == nil)
            for sequence in sequences {
                for (position, token) in sequence.tokens.enumerated() {
                    #expect(
                        contents[Int(sequence.table.blocks[0][position / blockSize])][position % blockSize] == token)
                }
            }
        }
        for index in sequences.indices { cache.free(&sequences[index].table) }
        #expect(cache.freeBlockCount == blockCount)

        func write(_ token: Int32, at position: Int, of table: BlockTable) {
            let block = Int(table.blocks[0][position / blockSize])
            if contents[block].count < blockSize {
                contents[block] += Array(repeating: -1, count: blockSize - contents[block].count)
            }
            contents[block][position % blockSize] = token
        }
    }
}
