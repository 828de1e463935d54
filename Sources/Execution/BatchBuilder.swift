import Backends
import Requests

/// Turns a step's plain data into the arrays that a prepared plan runs on; keeps their storage between steps.
struct BatchBuilder {
    let blockSize: Int
    private(set) var batch = ForwardBatch()

    init(blockSize: Int) {
        self.blockSize = blockSize
    }

    /// Lays the scheduled requests out one after another. Sample rows are, for each request in order, its scored
    /// positions and then its last token where that one chooses the next.
    mutating func build(_ output: SchedulerOutput, of sequences: borrowing [RequestID: SampledSequence]) {
        batch.removeAll()
        for scheduled in output.scheduled {
            let firstRow = batch.tokenCount
            batch.append(
                tokens: scheduled.tokens, firstPosition: scheduled.firstPosition, blocks: scheduled.blocks,
                blockSize: blockSize)
            for position in scheduled.scoredPositions {
                batch.sampleRows.append(Int32(truncatingIfNeeded: firstRow + position - scheduled.firstPosition))
                batch.rowRequests.append(RowRequest())
            }
            guard scheduled.samplesNext else { continue }
            batch.sampleRows.append(Int32(truncatingIfNeeded: batch.tokenCount - 1))
            batch.rowRequests.append(sequences[scheduled.id]?.rowRequest ?? RowRequest())
        }
    }
}
