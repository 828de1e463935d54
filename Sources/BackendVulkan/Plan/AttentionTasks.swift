import Backends
import SharedValues

/// Cuts a batch into what a workgroup of the attention takes at once.
///
/// A sequence with one new token is a row by itself, and its context may be shared out over several workgroups, whose
/// sums a reduction folds; a longer chunk is cut into tiles of rows. Either way the same bits come out.
struct AttentionTasks {
    /// Positions that are summed up before the sums are folded.
    let partition: Int
    /// Rows of a chunk that share a workgroup.
    let rowsPerTile: Int
    /// Sums that can wait for a reduction.
    let stateCount: Int
    /// Tasks of single rows come first; tiles begin here.
    let firstTile: Int
    /// Room for all of them.
    let taskCount: Int

    /// Single rows of the batch laid out last.
    private(set) var rowTaskCount = 0
    /// Tiles of the batch laid out last.
    private(set) var tileTaskCount = 0
    /// Rows of the batch laid out last whose sums wait.
    private(set) var reductionCount = 0
    /// Positions in the contexts of all sequences of the batch laid out last.
    private(set) var positionCount = 0
    /// Pairs of a query and a position that it may see, of the batch laid out last.
    private(set) var scoreCount = 0

    init(limits: BatchLimits, rowsPerTile: Int, partition: Int) {
        self.partition = partition
        self.rowsPerTile = rowsPerTile
        let partitions = limits.maxContextLength.dividedUp(by: partition)
        // With so many positions shared out no device is short of work, whatever is left to single workgroups.
        stateCount = max(1, min(limits.maxSequenceCount * partitions, 262_144 / partition))
        firstTile = limits.maxSequenceCount + stateCount
        // Each sequence may leave a tile that is not full.
        taskCount = firstTile + limits.maxTokenCount.dividedUp(by: rowsPerTile) + limits.maxSequenceCount
    }

    /// Writes the tasks of `batch`.
    mutating func lay(_ batch: borrowing ForwardBatch, into buffer: BatchBuffer) {
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
            guard partitions > 1, usedStates + partitions <= stateCount else {
                write(
                    [UInt32(start), 1, UInt32(context - 1), table, 0, UInt32(partitions), 0, 0],
                    to: tasks, at: rowTaskCount)
                rowTaskCount += 1
                continue
            }
            let place = reductionCount * 4
            reductions[place] = UInt32(start)
            reductions[place + 1] = UInt32(usedStates)
            reductions[place + 2] = UInt32(partitions)
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
