import Backends
import SharedValues

/// Splits a batch into the tasks of attention workgroups, for the layers of one cache group.
///
/// A sequence with one new token is a task of one row, or several tasks that share its context and whose states a
/// reduction folds. A longer chunk is split into tiles of rows. The result has the same bits either way. Tasks have no
/// partitions before the window of their first row.
struct AttentionTasks {
    /// Positions of a partition.
    let partition: Int
    /// Rows of a chunk that share a workgroup.
    let rowsPerTile: Int
    /// Room for states that wait for a reduction.
    let stateCount: Int
    /// Index of the first tile; tasks of single rows come before.
    let firstTile: Int
    /// Room for tasks of both kinds.
    let taskCount: Int

    /// What the batch written last has.
    struct Counts: Hashable {
        /// Tasks of single rows.
        var rowTaskCount = 0
        /// Tasks of tiles of rows.
        var tileTaskCount = 0
        /// Rows whose states wait for the reduction.
        var reductionCount = 0
    }

    private(set) var counts = Counts()
    /// Positions that some row of the batch written last attends to, over all sequences.
    private(set) var positionCount = 0
    /// Pairs of a query and a position that it may see, of the batch written last.
    private(set) var scoreCount = 0

    init(limits: BatchLimits, rowsPerTile: Int, partition: Int) {
        self.partition = partition
        self.rowsPerTile = rowsPerTile
        let partitions = limits.maxContextLength.dividedUp(by: partition)
        // So many positions in tasks of their own keep every device busy; what is left goes to single workgroups.
        stateCount = max(1, min(limits.maxSequenceCount * partitions, 262_144 / partition))
        firstTile = limits.maxSequenceCount + stateCount
        // The last tile of each sequence may not be full.
        taskCount = firstTile + limits.maxTokenCount.dividedUp(by: rowsPerTile) + limits.maxSequenceCount
    }

    /// Writes the tasks of `batch` for its cache group number `index`.
    mutating func write(_ batch: borrowing ForwardBatch, group index: Int, into buffer: BatchBuffer) {
        counts = Counts()
        scoreCount = 0
        positionCount = 0
        var usedStates = 0
        let tasks = buffer.words(.tasks(index))
        let reductions = buffer.words(.reductions(index))
        let window = batch.groups[index].cacheGroup.slidingWindow ?? .max
        for sequence in 0..<batch.sequenceCount {
            let start = Int(batch.queryStarts[sequence])
            let end = Int(batch.queryStarts[sequence + 1])
            guard end > start else { continue }
            let context = Int(batch.contextLengths[sequence])
            // May be negative; the sum with the number of a block in the window is not.
            let table = UInt32(bitPattern: batch.groups[index].blockTableStarts[sequence])
            func firstSeen(from position: Int) -> Int { max(0, position - (window - 1)) }
            let seenCount = context - firstSeen(from: context - (end - start))
            scoreCount += (end - start) * seenCount
            positionCount += seenCount
            // A chunk: tiles of rows, each of which goes through all partitions.
            guard end == start + 1 else {
                for row in stride(from: start, to: end, by: rowsPerTile) {
                    let count = min(rowsPerTile, end - row)
                    let position = context - (end - row)
                    let first = firstSeen(from: position) / partition
                    write(
                        [
                            UInt32(row), UInt32(count), UInt32(position), table,
                            UInt32(first), UInt32((position + count).dividedUp(by: partition) - first), 0, 0,
                        ], to: tasks, at: firstTile + counts.tileTaskCount)
                    counts.tileTaskCount += 1
                }
                continue
            }
            let first = firstSeen(from: context - 1) / partition
            let partitions = context.dividedUp(by: partition) - first
            // A single row whose context is not split.
            guard partitions > 1, usedStates + partitions <= stateCount else {
                write(
                    [UInt32(start), 1, UInt32(context - 1), table, UInt32(first), UInt32(partitions), 0, 0],
                    to: tasks, at: counts.rowTaskCount)
                counts.rowTaskCount += 1
                continue
            }
            // A single row, a task for each partition, and the reduction of their states.
            let offset = counts.reductionCount * 4
            reductions[offset] = UInt32(start)
            reductions[offset + 1] = UInt32(usedStates)
            reductions[offset + 2] = UInt32(partitions)
            counts.reductionCount += 1
            for partition in 0..<partitions {
                write(
                    [
                        UInt32(start), 1, UInt32(context - 1), table,
                        UInt32(first + partition), 1, UInt32(usedStates + partition), 1,
                    ], to: tasks, at: counts.rowTaskCount)
                counts.rowTaskCount += 1
            }
            usedStates += partitions
        }
    }

    private func write(
        _ words: SIMD8<UInt32>, to tasks: UnsafeMutableBufferPointer<UInt32>, at index: Int
    ) {
        for word in 0..<8 { tasks[index * 8 + word] = words[word] }
    }
}
