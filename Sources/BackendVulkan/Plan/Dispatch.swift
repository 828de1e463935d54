import Backends
import CVulkan
import SharedValues

/// What the second dimension of a dispatch counts; known only when a batch runs. Those with a number belong to the
/// attention of a cache group.
enum DispatchRows: Hashable {
    case tokens, samples, reducedSamples
    case rowTasks(group: Int), tileTasks(group: Int), reductions(group: Int)
    /// Tiles of a list of `AdapterTiles`, in steps in which adapters have many rows or in the others.
    case adapterTiles(list: Int, isMany: Bool)
    /// All tokens, unless a reduction ends the attention of each.
    case tokensIfUnreduced(group: Int)

    init(_ rows: PlanRows) {
        switch rows {
        case .tokens: self = .tokens
        case .samples: self = .samples
        }
    }

    /// The cache group whose attention it belongs to.
    var group: Int? {
        switch self {
        case .tokens, .samples, .reducedSamples, .adapterTiles: nil
        case .rowTasks(let group), .tileTasks(let group), .reductions(let group), .tokensIfUnreduced(let group): group
        }
    }
}

/// The pipeline of a dispatch for batches of up to `maxRowCount` rows.
struct DispatchKernel {
    let maxRowCount: Int
    /// Rows that a workgroup computes.
    let rowsPerGroup: Int
    let pipeline: Pipeline
    /// Where workgroups take the tiles of a list (`GroupRowsKernel`), what the list groups.
    var grouping: RowGrouping?

    /// Workgroups in the second dimension.
    func groupCount(forRows rows: Int) -> Int {
        grouping?.maxTileCount(rows: rows, rowsPerTile: rowsPerGroup) ?? rows.dividedUp(by: rowsPerGroup)
    }
}

/// One kernel over one set of buffers, ready but for the number of rows.
struct Dispatch {
    /// By rising number of rows.
    let kernels: [DispatchKernel]
    /// The buffers by binding number.
    let bindings: [MemoryRange]
    /// The parameters behind the row count.
    let parameters: [UInt32]
    let rows: DispatchRows
    /// Workgroups in the first dimension.
    let groupCount: Int
    /// What it computes, with shapes, for people.
    var label = ""
    /// Bytes that it must move, however many rows there are.
    var byteCount = 0
    /// Bytes that it must move for each row.
    var bytesPerRow = 0
    /// Bytes that it must move for each position of a sequence's context.
    var bytesPerPosition = 0
    /// Floating-point operations of a row.
    var workPerRow = 0
    /// Floating-point operations of a pair of a query and a position.
    var workPerScore = 0
    /// Matrices that it must read, apart from `byteCount`.
    var chosen: ChosenMatrices?
    /// With fewer rows there is nothing to do: another dispatch computes them.
    var minRowCount = 1
    var set: VkDescriptorSet?

    /// The kernel for `rows` rows; nil where there is nothing to do.
    func kernel(forRows rows: Int) -> DispatchKernel? {
        rows < minRowCount ? nil : kernels.first { rows <= $0.maxRowCount }
    }
}

extension Dispatch {
    /// A dispatch of a kernel `K`, of which `kernels` were made.
    init<K: KernelInterface>(
        _ kernel: K.Type, _ kernels: [DispatchKernel], bindings: [K.Binding: MemoryRange], parameters: K.Parameters,
        rows: DispatchRows, groupCount: Int, label: String, byteCount: Int = 0, bytesPerRow: Int = 0,
        bytesPerPosition: Int = 0, workPerRow: Int = 0, workPerScore: Int = 0
    ) {
        self.init(
            kernels: kernels, bindings: K.Binding.ordered(bindings), parameters: parameters.words, rows: rows,
            groupCount: groupCount, label: label, byteCount: byteCount, bytesPerRow: bytesPerRow,
            bytesPerPosition: bytesPerPosition, workPerRow: workPerRow, workPerScore: workPerScore)
    }
}

/// Matrices of a set, of which a dispatch reads those that a step's rows choose.
struct ChosenMatrices {
    let routes: MemoryRange
    let layout: RowLayout
    let grouping: RowGrouping
    /// Bytes of a matrix, as far as it is in the dispatch's part of the set.
    let byteCount: Int

    /// Bytes of the chosen matrices, each once and as often as workgroups of `kernel` read it. `routes` are the numbers in
    /// the range of that name.
    func byteCounts(
        _ routes: UnsafeBufferPointer<Float>, rows: Int, _ kernel: DispatchKernel
    ) -> (once: Int, moved: Int) {
        var counts = [Int](repeating: 0, count: grouping.matrixCount)
        for row in 0..<rows {
            for choice in 0..<grouping.choiceCount {
                counts[Int(routes[row * Int(layout.stride) + Int(layout.offset) + choice])] += 1
            }
        }
        let rowsPerTile = kernel.grouping == nil ? 1 : kernel.rowsPerGroup
        return (
            once: counts.count { $0 > 0 } * byteCount,
            moved: counts.reduce(0) { $0 + $1.dividedUp(by: rowsPerTile) } * byteCount
        )
    }
}

/// Dispatches that do not wait for each other, and whether they wait for what came before.
struct DispatchPhase {
    var dispatches: [Dispatch]
    var needsBarrier = false
}
