import Backends
import Sampling

/// What the runner keeps of a request between steps.
struct SampledSequence {
    let prompt: [Int32]
    /// Likely tokens reported with the score of each token of the prompt.
    let scoredTopCount: Int
    var sampler: Sampler

    /// What the sampler needs of the row that chooses its next token.
    var rowRequest: RowRequest {
        RowRequest(inverseTemperature: sampler.wantsRankedTokens ? sampler.inverseTemperature : nil)
    }
}
