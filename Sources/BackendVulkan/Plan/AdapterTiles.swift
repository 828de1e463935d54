import Backends
import SharedValues

/// The rows of a batch grouped by adapter slot, in the lists that kernels read (`linear.glsl`, GROUPED and ADAPTERS), and
/// which slots have matrices. The host makes the lists, as it knows the adapters: a step without any has no tiles, so its
/// dispatches are not recorded.
struct AdapterTiles {
    /// Tiles of a step in which each adapter has few rows, and tiles of one with more; kernels are made for either.
    static let rowsPerTile = [8, 64]

    /// Slots, as matrices of a row's one choice.
    let grouping: RowGrouping
    private let maxRowCount: Int
    /// The target whose down or up matrix is in a set.
    private let targets: [MatrixSetID: Int]
    /// For each target, whether each slot has matrices.
    private var presence: [UInt32]
    private var isPresenceWritten = false
    /// Rows of each slot, then the end of its pairs in a list.
    private var ends: [Int]

    /// What a recording depends on.
    struct Counts: Hashable {
        /// Tiles of each list.
        var tileCounts = SIMD2<Int>()
        /// Whether adapters have many rows, which take the kernels for such.
        var hasMany = false
    }

    private(set) var counts = Counts()

    /// Nil where `plan` has no slots.
    init?(_ plan: ForwardPlan, limits: BatchLimits) {
        guard let first = plan.adapterTargets.first else { return nil }
        let slotCount = plan[first.down].count
        grouping = RowGrouping(matrixCount: slotCount, choiceCount: 1)
        maxRowCount = limits.maxTokenCount
        var targets: [MatrixSetID: Int] = [:]
        for (index, target) in plan.adapterTargets.enumerated() {
            targets[target.down] = index
            targets[target.up] = index
        }
        self.targets = targets
        presence = [UInt32](repeating: 0, count: plan.adapterTargets.count * slotCount)
        ends = [Int](repeating: 0, count: slotCount)
    }

    /// The words of list `list` at which its pairs begin, the presence of the target of `set` and the list's end.
    func pairsStart(list: Int) -> Int {
        4 + 4 * grouping.maxTileCount(rows: maxRowCount, rowsPerTile: Self.rowsPerTile[list])
    }
    func presenceStart(list: Int, of set: MatrixSetID) -> Int {
        guard let target = targets[set] else { preconditionFailure("a set of no adapter target") }
        return pairsStart(list: list) + maxRowCount + target * grouping.matrixCount
    }
    func wordCount(list: Int) -> Int { pairsStart(list: list) + maxRowCount + presence.count }

    /// Sets whether slot `slot` has matrices in the sets of a target.
    mutating func setPresence(_ isPresent: Bool, slot: Int, of set: MatrixSetID) {
        guard let target = targets[set] else { preconditionFailure("a set of no adapter target") }
        presence[target * grouping.matrixCount + slot] = isPresent ? 1 : 0
        isPresenceWritten = false
    }

    /// Has the next `write` fill another buffer.
    mutating func useNewBuffer() { isPresenceWritten = false }

    /// Writes the lists of `batch`.
    mutating func write(_ batch: borrowing ForwardBatch, into buffer: BatchBuffer) {
        counts = Counts()
        guard !batch.adapterSlots.isEmpty else { return }
        var (rowCount, usedCount) = (0, 0)
        for slot in ends.indices { ends[slot] = 0 }
        for slot in batch.adapterSlots where slot >= 0 {
            if ends[Int(slot)] == 0 { usedCount += 1 }
            ends[Int(slot)] += 1
            rowCount += 1
        }
        counts.hasMany = rowCount > Self.rowsPerTile[0] / 2 * usedCount
        for list in Self.rowsPerTile.indices { writeTiles(list, buffer.words(.adapters(list))) }
        var start = 0
        for slot in ends.indices {
            (start, ends[slot]) = (start + ends[slot], start)
        }
        let (few, many) = (buffer.words(.adapters(0)), buffer.words(.adapters(1)))
        let (fewStart, manyStart) = (pairsStart(list: 0), pairsStart(list: 1))
        for row in batch.adapterSlots.indices where batch.adapterSlots[row] >= 0 {
            let slot = Int(batch.adapterSlots[row])
            few[fewStart + ends[slot]] = UInt32(row)
            many[manyStart + ends[slot]] = UInt32(row)
            ends[slot] += 1
        }
        guard !isPresenceWritten else { return }
        isPresenceWritten = true
        for list in Self.rowsPerTile.indices {
            let words = buffer.words(.adapters(list))
            let first = pairsStart(list: list) + maxRowCount
            for index in presence.indices { words[first + index] = presence[index] }
        }
    }

    /// `ends` are numbers of rows.
    private mutating func writeTiles(_ list: Int, _ words: UnsafeMutableBufferPointer<UInt32>) {
        let rowsPerTile = Self.rowsPerTile[list]
        var (tileCount, first) = (0, 0)
        for slot in ends.indices {
            var left = ends[slot]
            while left > 0 {
                let count = min(left, rowsPerTile)
                words[4 + 4 * tileCount] = UInt32(slot)
                words[5 + 4 * tileCount] = UInt32(first)
                words[6 + 4 * tileCount] = UInt32(count)
                tileCount += 1
                first += count
                left -= count
            }
        }
        words[0] = UInt32(tileCount)
        counts.tileCounts[list] = tileCount
    }
}
