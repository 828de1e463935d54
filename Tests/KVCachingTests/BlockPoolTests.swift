import SharedValues
import Testing

@testable import KVCaching

@Suite("BlockPool")
struct BlockPoolTests {
    @Test("blocks are taken in order, then least recently freed first")
    func order() {
        var pool = BlockPool(blockCount: 3)
        #expect([pool.take(), pool.take(), pool.take(), pool.take()] == [0, 1, 2, nil])
        pool.release(1)
        pool.release(0)
        #expect(pool.freeBlocks == [1, 0])
        #expect(pool.take() == 1)
        pool.retain(0)
        #expect(pool.freeCount == 0 && pool.referenceCount(of: 0) == 1)
    }

    /// Every sequence of five operations on pools of one to three blocks, against a model of arrays.
    @Test("every small world agrees with a model", arguments: 1...3)
    func exhaustive(blockCount: Int) {
        var visited = 0
        func explore(_ pool: BlockPool, _ counts: [Int], _ free: [BlockID], depth: Int) {
            #expect(pool.checkInvariants() == nil)
            #expect(pool.freeBlocks == free)
            visited += 1
            guard depth > 0 else { return }
            var taken = pool
            let block = taken.take()
            #expect(block == free.first)
            if let block {
                var counts = counts
                counts[Int(block)] = 1
                explore(taken, counts, Array(free.dropFirst()), depth: depth - 1)
            }
            for block in 0..<blockCount {
                var retained = pool
                retained.retain(BlockID(block))
                var more = counts
                more[block] += 1
                explore(retained, more, free.filter { $0 != block }, depth: depth - 1)
                guard counts[block] > 0 else { continue }
                var released = pool
                released.release(BlockID(block))
                var fewer = counts
                fewer[block] -= 1
                explore(released, fewer, fewer[block] == 0 ? free + [BlockID(block)] : free, depth: depth - 1)
            }
        }
        explore(
            BlockPool(blockCount: blockCount), Array(repeating: 0, count: blockCount),
            (0..<blockCount).map { BlockID($0) }, depth: 5)
        #expect(visited > 30)
    }
}
