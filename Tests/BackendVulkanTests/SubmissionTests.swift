import Testing

@testable import BackendVulkan

/// How a step is split into submissions.
struct SubmissionTests {
    @Test("Parts have every workgroup once, and are as many as requested where there are enough workgroups")
    func parts() {
        for columnCount in 1...6 {
            for rowCount in 1...6 {
                for count in 1...40 {
                    var seen = [Int](repeating: 0, count: columnCount * rowCount)
                    var sizes: [Int] = []
                    DispatchParts(columnCount: columnCount, rowCount: rowCount, count: count)
                        .forEach { columns, rows in
                            sizes.append(columns.count * rows.count)
                            for row in rows { for column in columns { seen[row * columnCount + column] += 1 } }
                        }
                    #expect(seen.allSatisfy { $0 == 1 })
                    #expect(sizes.count >= min(count, columnCount * rowCount))
                    #expect(count > 1 || sizes.count == 1)
                }
            }
        }
    }

    @Test("A submission grows and shrinks to a tenth of a second")
    func pace() {
        var pace = SubmissionPace(fixed: nil)
        let first = pace.work
        // Too little work to say that the device is slow.
        pace.learn(work: first / 2, seconds: 60)
        #expect(pace.work == first)
        pace.learn(work: first / 2, seconds: 0.001)
        #expect(pace.work == first * 50)
        pace.learn(work: first * 50, seconds: 0.2)
        #expect(pace.work == first * 25)
        pace.learn(work: first * 25, seconds: 1e6)
        #expect(pace.work > 0 && pace.work < first)
        let least = pace.work
        pace.learn(work: 0, seconds: 1)
        #expect(pace.work == least)
        var fixed = SubmissionPace(fixed: 7)
        fixed.learn(work: 1_000_000, seconds: 1e-9)
        #expect(fixed.work == 7)
    }
}
