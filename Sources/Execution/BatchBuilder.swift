import Backends
import Requests
import Sampling
import SharedValues

/// Turns a step's plain data into the arrays that a prepared plan runs on; keeps their storage between steps.
struct BatchBuilder {
    private(set) var batch: ForwardBatch

    /// For a cache of these groups.
    init(groups: [CacheGroup]) {
        batch = ForwardBatch(groups: groups)
    }

    /// Builds a batch of the scheduled requests, one after another. Sample rows are, for each request in order, its scored
    /// positions and then its last token where that one chooses the next.
    mutating func build(_ output: SchedulerOutput, of sequences: borrowing [RequestID: SampledSequence]) {
        batch.removeAll()
        for scheduled in output.scheduled {
            let firstRow = batch.tokenCount
            batch.append(
                tokens: scheduled.tokens, firstPosition: scheduled.firstPosition, blocks: scheduled.blocks,
                adapterSlot: scheduled.adapterSlot)
            for position in scheduled.scoredPositions {
                batch.sampleRows.append(Int32(truncatingIfNeeded: firstRow + position - scheduled.firstPosition))
                batch.rowRequests.append(RowRequest())
            }
            guard scheduled.samplesNext else { continue }
            batch.sampleRows.append(Int32(truncatingIfNeeded: batch.tokenCount - 1))
            batch.rowRequests.append(
                sequences[scheduled.id]?.rowRequest(outputCount: scheduled.outputCount) ?? RowRequest())
        }
    }
}

/// What the runner keeps of a request between steps.
struct SampledSequence {
    let prompt: [Int32]
    /// Likely tokens reported with the score of each token of the prompt.
    let scoredTopCount: Int
    var sampler: Sampler

    /// What the host needs of the row that chooses the next token, after `outputCount` tokens.
    func rowRequest(outputCount: Int) -> RowRequest {
        RowRequest(
            inverseTemperature: sampler.acceptsRankedTokens(outputCount: outputCount)
                ? sampler.inverseTemperature : nil)
    }
}
