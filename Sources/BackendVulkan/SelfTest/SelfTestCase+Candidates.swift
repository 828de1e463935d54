import Backends
import CLibrary
import SharedValues

extension SelfTestCase {
    private static let inverseTemperature: Float = 0.5

    /// The second of two rows of 300 numbers, one of which is no number and two of which are equal.
    static func candidatesSegment() -> SelfTestCase {
        var row = numbers(300, seed: 40).map { $0 * 10 }
        row[7] = .nan
        row[200] = row[11]
        return candidates(
            bindings: [
                [1, inverseTemperature.bitPattern], bits([Float](repeating: 99, count: 300) + row),
                unwritten(CandidateTable.recordCount),
            ],
            constants: [300, 512, 1], expected: record(of: row, ids: Array(0..<300)))
    }

    /// Two segments of a row, the second of which has few numbers.
    static func candidatesMerge() -> SelfTestCase {
        let rows = [numbers(RankedTokens.maximumCount, seed: 41), numbers(9, seed: 42)]
        var segments: [UInt32] = []
        for (index, row) in rows.enumerated() {
            let ids = Array(index * 512..<index * 512 + row.count)
            // What lies behind the numbers that were found must not matter.
            segments += record(of: row, ids: ids).enumerated().map { place, number in
                switch place {
                case 2..<4: UInt32(number)
                case CandidateTable.headerCount..<CandidateTable.headerCount + RankedTokens.maximumCount: UInt32(number)
                default: Float(number).bitPattern
                }
            }
        }
        let ids = rows.indices.flatMap { Array($0 * 512..<$0 * 512 + rows[$0].count) }
        return candidates(
            bindings: [[0, inverseTemperature.bitPattern], segments, unwritten(CandidateTable.recordCount)],
            constants: [2], expected: record(of: rows[0] + rows[1], ids: ids))
    }

    private static func candidates(bindings: [[UInt32]], constants: [UInt32], expected: [Double]) -> SelfTestCase {
        var trial = SelfTestCase(bindings: bindings, constants: constants, rowCount: 1, output: 2, expected: expected)
        let (first, maxCount) = (CandidateTable.headerCount, RankedTokens.maximumCount)
        trial.read = { words in
            let count = min(Int(words[2]), maxCount)
            return words.enumerated().map { place, word in
                switch place {
                case 0, 1: Float(bitPattern: word)
                case 2: Float(word)
                case first..<first + count: Float(word)
                case first + maxCount..<first + maxCount + count: Float(bitPattern: word)
                default: 0
                }
            }
        }
        return trial
    }

    /// The record of a row, every word as a number.
    private static func record(of row: [Float], ids: [Int]) -> [Double] {
        let order = row.indices.filter { row[$0] == row[$0] }.sorted { (row[$1], $0) < (row[$0], $1) }
        let largest = Double(row[order[0]])
        func sum(_ scale: Double) -> Double { order.reduce(0) { $0 + exp((Double(row[$1]) - largest) * scale) } }
        let best = order.prefix(RankedTokens.maximumCount)
        let rest = [Double](repeating: 0, count: RankedTokens.maximumCount - best.count)
        return [sum(1), sum(Double(inverseTemperature)), Double(best.count), 0] + best.map { Double(ids[$0]) } + rest
            + best.map { Double(row[$0]) } + rest
    }
}
