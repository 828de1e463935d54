import Backends
import SharedValues

/// Splits a batch into the tasks of attention workgroups.
///
/// A sequence with one new token is a task of one row, or several tasks that share its context and whose states a
/// reduction folds. A longer chunk is split into tiles of rows. The result has the same bits either way.
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

    /// Single rows of the batch written last.
    private(set) var rowTaskCount = 0
    /// Tiles of the batch written last.
    private(set) var tileTaskCount = 0
    /// Rows of the batch written last whose states wait for the reduction.
    private(set) var reductionCount = 0
    /// Positions in the contexts of all sequences of the batch written last.
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

    /// Writes the tasks of `batch`.
    mutating func write(_ batch: borrowing ForwardBatch, into buffer: BatchBuffer) {
        rowTaskCount = 0
        tileTaskCount = 0
        reductionCount = 0
        scoreCount = 0
        positionCount = 0
        var usedStates = 0
        let tasks = buffer.words(.tasks)
        let reductions = buffer.words(.reductions)
        for sequence in 0..<batch.sequenceCount {
            let start = Int(batch.queryStarts[sequence])
            let end = Int(batch.queryStarts[sequence + 1])
            guard end > start else { continue }
            let context = Int(batch.contextLengths[sequence])
            let table = UInt32(bitPattern: batch.blockTableStarts[sequence])
            scoreCount += (end - start) * context
            positionCount += context
            // A chunk: tiles of rows, each of which goes through all partitions.
            guard end == start + 1 else {
                for row in stride(from: start, to: end, by: rowsPerTile) {
                    let count = min(rowsPerTile, end - row)
                    let position = context - (end - row)
                    write(
                        [
                            UInt32(row), UInt32(count), UInt32(position), table,
                            0, UInt32((position + count).dividedUp(by: partition)), 0, 0,
                        ], to: tasks, at: firstTile + tileTaskCount)
                    tileTaskCount += 1
                }
                continue
            }
            let partitions = context.dividedUp(by: partition)
            // A single row whose context is not split.
            guard partitions > 1, usedStates + partitions <= stateCount else {
                write(
                    [UInt32(start), 1, UInt32(context - 1), table, 0, UInt32(partitions), 0, 0],
                    to: tasks, at: rowTaskCount)
                rowTaskCount += 1
                continue
            }
            // A single row, a task for each partition, and the reduction of their states.
            let offset = reductionCount * 4
            reductions[offset] = UInt32(start)
            reductions[offset + 1] = UInt32(usedStates)
            reductions[offset + 2] = UInt32(partitions)
            reductionCount += 1
            for partition in 0..<partitions {
                write(
                    [
                        UInt32(start), 1, UInt32(context - 1), table,
                        UInt32(partition), 1, UInt32(usedStates + partition), 1,
                    ], to: tasks, at: rowTaskCount)
                rowTaskCount += 1
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
