import Backends
import SharedValues

/// Pairs of a row and one of its choices, grouped by the matrix that the pair is multiplied with.
struct RowGrouping: Hashable {
    let matrixCount: Int
    /// Choices of a row.
    let choiceCount: Int

    /// No kernel takes fewer rows than this at once from a list.
    static let minRowsPerTile = 2

    /// Maximum number of tiles in the list of a step of `rows` rows: each matrix in use may end in a tile that is not full.
    func maxTileCount(rows: Int, rowsPerTile: Int) -> Int {
        let pairCount = rows * choiceCount
        return (pairCount + (rowsPerTile - 1) * min(matrixCount, pairCount)) / rowsPerTile
    }

    /// Rows of a step, up to which its pairs hardly share matrices: those that are read twice would be less than a tenth if
    /// all choices were equally likely. A list would save less than it costs.
    var unsharedRowCount: Int { maxRowCount { pairs, matrices in pairs <= 1.1 * matrices } }

    /// Rows of a step, up to which matrices in use have half a tile of pairs on average, so most have no second tile.
    func maxRowCount(rowsPerTile: Int) -> Int {
        maxRowCount { pairs, matrices in pairs <= Double(rowsPerTile) / 2 * matrices }
    }

    /// The largest number of rows with which `holds` is true of the numbers of pairs and of matrices that are expected to be
    /// in use; at least 1.
    private func maxRowCount(_ holds: (_ pairs: Double, _ matrices: Double) -> Bool) -> Int {
        let missShare = 1 - Double(choiceCount) / Double(matrixCount)
        var (rows, unused) = (1, missShare)
        while true {
            unused *= missShare
            guard holds(Double((rows + 1) * choiceCount), Double(matrixCount) * (1 - unused)) else { return rows }
            rows += 1
        }
    }

    /// The word of a list at which its pairs begin, of steps of up to `maxRowCount` rows.
    func pairsStart(maxRowCount: Int) -> Int {
        4 + 4 * maxTileCount(rows: maxRowCount, rowsPerTile: Self.minRowsPerTile)
    }

    /// Words of a list, of steps of up to `maxRowCount` rows.
    func wordCount(maxRowCount: Int) -> Int { pairsStart(maxRowCount: maxRowCount) + maxRowCount * choiceCount }

    /// The list that `group_rows.comp` makes of the matrices of pairs, in the order of the pairs.
    func list(_ matrices: [Int], rowsPerTile: Int, pairsStart: Int) -> [UInt32] {
        var words = [UInt32](repeating: 0, count: pairsStart)
        for matrix in 0..<matrixCount {
            let pairs = matrices.indices.filter { matrices[$0] == matrix }
            for start in stride(from: 0, to: pairs.count, by: rowsPerTile) {
                let tile = Int(words[0])
                words[4 + 4 * tile] = UInt32(matrix)
                words[5 + 4 * tile] = UInt32(words.count - pairsStart + start)
                words[6 + 4 * tile] = UInt32(min(rowsPerTile, pairs.count - start))
                words[0] += 1
            }
            words += pairs.map { UInt32($0) }
        }
        return words
    }
}

/// Groups the rows of a step by matrix (`group_rows.comp`).
struct GroupRowsKernel: Kernel {
    enum Binding: KernelBinding { case routes, output }

    struct Parameters: KernelParameters {
        var routes: RowLayout
        var pairsStart: UInt32
    }

    static let operations = [KernelOperation("group_rows", parts: [PackageResources.group_rows_comp])]

    let grouping: RowGrouping
    let rowsPerTile: Int
    /// Invocations.
    let group: Int

    var definitions: ShaderDefinitions {
        [
            "GROUP": group, "EXPERTS": grouping.matrixCount, "CHOICES": grouping.choiceCount,
            "TILE_ROWS": rowsPerTile,
        ]
    }

    /// So many rows that there are more tiles than matrices; the pairs of a matrix may come in any order.
    func selfTest(of variant: KernelVariant) -> SelfTestCase {
        let (matrixCount, choiceCount) = (grouping.matrixCount, grouping.choiceCount)
        let rowCount = min(matrixCount, 4) * rowsPerTile / choiceCount + 3
        let start = grouping.pairsStart(maxRowCount: rowCount)
        var matrices: [Int] = []
        var routes: [Float] = []
        for row in 0..<rowCount {
            // Neighbours, so that no row has a matrix twice.
            let first = row * row % 7
            let chosen = (0..<choiceCount).map { (first + $0) % matrixCount }
            matrices += chosen
            routes += chosen.map { Float($0) } + [Float](repeating: 0.5, count: choiceCount)
        }
        let expected = grouping.list(matrices, rowsPerTile: rowsPerTile, pairsStart: start)
        let counts = (0..<matrixCount).map { matrix in matrices.count { $0 == matrix } }
        let read = { @Sendable (words: [UInt32]) in
            var words = words
            let tileCount = min(Int(words[0]), (start - 4) / 4)
            // What is behind the tiles is not written.
            for word in [1, 2, 3] + (0..<tileCount).map({ 7 + 4 * $0 }) + (4 + 4 * tileCount..<start) {
                words[word] = 0
            }
            var first = start
            for count in counts {
                words[first..<first + count].sort()
                first += count
            }
            return words.map { Float($0) }
        }
        return SelfTestCase(
            Self.self,
            bindings: [
                .routes: SelfTestCase.bits(routes), .output: SelfTestCase.unwritten(expected.count),
            ],
            parameters: Parameters(
                routes: RowLayout(stride: UInt32(2 * choiceCount)), pairsStart: UInt32(start)),
            rowCount: rowCount, rowsPerGroup: rowCount, output: .output, expected: expected.map { Double($0) },
            tolerance: 0, read: read)
    }
}

extension KernelShapes {
    /// Invocations of the workgroup that groups all rows of a step.
    var groupingInvocationCount: Int {
        capabilities.isProcessor ? 64 : capabilities.maxInvocationCount >= 256 ? 256 : 128
    }
}

extension ProgramBuilder {
    /// A list for the kernels `readers` of the routes `routes`. The last list is used again if it is the same: gate, up and
    /// down of a layer share one. Steps of fewer than `minRowCount` rows need none.
    mutating func group(
        _ routes: ValueID, _ grouping: RowGrouping, for readers: [DispatchKernel], minRowCount: Int
    ) throws(BackendError) -> MemoryRange {
        guard let list = memory.groups else { preconditionFailure("a plan without sets of matrices") }
        let content = GroupedRows(
            routes: routes, minRowCount: minRowCount, tiles: readers.map { [$0.maxRowCount, $0.rowsPerGroup] })
        if grouped == content { return list }
        grouped = content
        let rows = plan[routes].rows
        let maxRowCount = memory.limits.maxRowCount(rows)
        var kernels: [DispatchKernel] = []
        for reader in readers {
            let kernel = GroupRowsKernel(
                grouping: grouping, rowsPerTile: reader.rowsPerGroup, group: shapes.groupingInvocationCount)
            kernels.append(
                DispatchKernel(
                    maxRowCount: reader.maxRowCount, rowsPerGroup: maxRowCount,
                    pipeline: try library.pipeline(kernel)))
        }
        var dispatch = Dispatch(
            GroupRowsKernel.self, kernels, bindings: [.routes: memory.range(routes), .output: list],
            parameters: .init(
                routes: rowLayout(of: routes), pairsStart: UInt32(grouping.pairsStart(maxRowCount: maxRowCount))),
            rows: DispatchRows(rows), groupCount: 1,
            label: "rows by \(grouping.choiceCount) of \(grouping.matrixCount)",
            bytesPerRow: grouping.choiceCount * 8, workPerRow: 2 * grouping.choiceCount)
        dispatch.minRowCount = minRowCount
        append([dispatch], reading: [memory.range(routes)], writing: [list])
        return list
    }
}

/// What the list of grouped rows holds.
struct GroupedRows: Equatable {
    let routes: ValueID
    let minRowCount: Int
    /// For each kernel that reads the list, the most rows of its steps and the rows of a tile.
    let tiles: [[Int]]
}
