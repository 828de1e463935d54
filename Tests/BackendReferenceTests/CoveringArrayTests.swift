import Testing

@testable import BackendConformance

/// The combinations that stand for all of them.
@Suite struct CoveringArrayTests {
    private static func pairs(_ rows: [[Int]], _ left: Int, _ right: Int) -> Set<[Int]> {
        Set(rows.map { [$0[left], $0[right]] })
    }

    @Test(
        "every two levels occur together",
        arguments: [[1], [4], [2, 2, 2], [3, 7, 5], [52, 2, 2, 8, 3], [1, 6, 1, 4]])
    func pairwise(levelCounts: [Int]) {
        let rows = CoveringArray(levelCounts: levelCounts).rows(.pairs)
        for row in rows { #expect(zip(row, levelCounts).allSatisfy { 0..<$1 ~= $0 } && row.count == levelCounts.count) }
        for right in levelCounts.indices {
            #expect(Set(rows.map { $0[right] }).count == levelCounts[right])
            for left in 0..<right {
                #expect(Self.pairs(rows, left, right).count == levelCounts[left] * levelCounts[right])
            }
        }
    }

    @Test("few combinations are enough: little more than the two largest factors have")
    func size() {
        #expect(CoveringArray(levelCounts: [3, 7, 5]).rows(.pairs).count <= 40)
        #expect(CoveringArray(levelCounts: [2, 2, 2, 2]).rows(.pairs).count <= 7)
        #expect(CoveringArray(levelCounts: [10, 10, 10, 10]).rows(.pairs).count <= 170)
    }

    @Test("levels of unrelated factors need not meet, but all of them occur")
    func unrelated() {
        var array = CoveringArray(levelCounts: [52, 2, 8, 5], unrelated: [(0, 2), (3, 0)])
        let rows = array.rows(.pairs)
        #expect(rows.count <= 120)
        #expect(Self.pairs(rows, 0, 1).count == 104 && Self.pairs(rows, 2, 3).count == 40)
        array = CoveringArray(levelCounts: [3, 4], unrelated: [(0, 1)])
        #expect(Set(array.rows(.pairs).map { $0[0] }).count == 3 && Set(array.rows(.pairs).map { $0[1] }).count == 4)
    }

    @Test("each level occurs, with as many rows as the largest factor has levels")
    func each() {
        let rows = CoveringArray(levelCounts: [3, 7, 5]).rows(.each)
        #expect(
            rows.count == 7 && (0..<3).allSatisfy { factor in Set(rows.map { $0[factor] }).count == [3, 7, 5][factor] })
    }

    @Test("a factor without levels leaves no rows")
    func nothing() {
        #expect(CoveringArray(levelCounts: [3, 0]).rows(.pairs) == [])
        #expect(CoveringArray(levelCounts: [3, 0]).rows(.each) == [])
        #expect(CoveringArray(levelCounts: []).rows(.pairs) == [])
    }
}
