import CLibrary
public import Requests
public import SharedValues

/// Chooses one request's tokens, and keeps the history that penalties need.
///
/// The choice is a function of the logits, the parameters, the seed and the position in the output, which the scheduler
/// counts (`outputCount`: tokens produced before this one). Order, as in vLLM: bias, minimum length, penalties,
/// temperature, `min_p`, `top_k`, `top_p`, draw. Log probabilities are those of the model, before all of that. A draw walks
/// from the most likely token on, so the most likely ones are mostly enough.
public struct Sampler: Sendable {
    private let parameters: SamplingParameters
    private var seen: SeenTokens

    /// A sampler for a request with this prompt.
    public init(parameters: SamplingParameters, prompt: [Int32]) {
        self.parameters = parameters
        seen = SeenTokens(prompt: parameters.hasPenalties ? prompt : [])
    }

    /// Chooses the next token from `logits`, `[vocabularySize]`, which it may overwrite.
    public mutating func sample(
        _ logits: UnsafeMutableBufferPointer<Float>, outputCount: Int, scratch: inout SamplerScratch
    ) -> (token: Int32, logprobs: TokenLogprobs?) {
        if parameters.logprobs != nil { scratch.keep(logits) }
        adjust(logits, outputCount: outputCount)
        let token = Int32(
            truncatingIfNeeded: parameters.isGreedy ? logits.argmax() : draw(logits, at: outputCount, &scratch))
        if parameters.hasPenalties { seen.append(token) }
        guard let topCount = parameters.logprobs else { return (token, nil) }
        return (token, scratch.withKept { logprobs(of: token, topCount: topCount, in: $0) })
    }

    /// Whether the most likely tokens are mostly enough to choose the next one: nothing changes single logits.
    public func acceptsRankedTokens(outputCount: Int) -> Bool {
        parameters.logitBias.isEmpty && !parameters.hasPenalties
            && parameters.allowsEnd(atOutputCount: outputCount + 1)
            && parameters.logprobs ?? 0 <= RankedTokens.maximumCount
    }

    /// The factor of logits in `RankedTokens.temperedSum`.
    public var inverseTemperature: Float { parameters.isGreedy ? 1 : 1 / parameters.temperature }

    /// Chooses the token that `sample` of the whole row chooses; nil where the ranked tokens are too few to say.
    /// Precondition: `acceptsRankedTokens`.
    public func sample(
        _ ranked: RankedTokens, outputCount: Int, scratch: inout SamplerScratch
    ) -> (token: Int32, logprobs: TokenLogprobs?)? {
        let topCount = parameters.logprobs
        guard topCount ?? 0 <= ranked.tokens.count,
            let index = draw(ranked, at: outputCount, &scratch)
        else { return nil }
        return (ranked.tokens[index], topCount.map { ranked.logprobs(at: index, topCount: $0) })
    }

    /// The index of the token that `draw` of the whole row finds; nil where the ranked tokens are too few to say.
    private func draw(_ ranked: RankedTokens, at outputCount: Int, _ scratch: inout SamplerScratch) -> Int? {
        let largest = ranked.logits[0]
        guard !parameters.isGreedy, largest > -.infinity, largest < .infinity else { return 0 }
        let scale = inverseTemperature
        scratch.rankedWeights.removeAll(keepingCapacity: true)
        for logit in ranked.logits {
            scratch.rankedWeights.append(logit == logit ? expf((logit - largest) * scale) : 0)
        }
        var nucleus = RankedNucleus(scratch.rankedWeights, isWhole: ranked.isWhole, total: Double(ranked.temperedSum))
        guard nucleus.filter(parameters) else { return nil }
        let target = uniformDraw(seed: parameters.seed, position: outputCount) * nucleus.total
        var sum = 0.0
        for index in 0..<nucleus.count {
            sum += Double(nucleus.weights[index])
            if sum > target { return index }
        }
        return nucleus.isWhole ? nucleus.count - 1 : nil
    }

    private func adjust(_ logits: UnsafeMutableBufferPointer<Float>, outputCount: Int) {
        for (token, bias) in parameters.logitBias where logits.indices.contains(Int(token)) {
            logits[Int(token)] += bias
        }
        if !parameters.allowsEnd(atOutputCount: outputCount + 1) {
            for token in parameters.endTokenIDs + parameters.stopTokenIDs where logits.indices.contains(Int(token)) {
                logits[Int(token)] = -.infinity
            }
        }
        if parameters.hasPenalties { seen.penalize(logits, parameters) }
    }

    /// Draws by inverting the cumulative distribution: the most likely tokens first, then the others by id.
    private func draw(
        _ logits: UnsafeMutableBufferPointer<Float>, at outputCount: Int, _ scratch: inout SamplerScratch
    ) -> Int {
        let largest = logits.largest()
        guard largest > -.infinity, largest < .infinity else { return logits.argmax() }
        logits.rank(RankedTokens.maximumCount, into: &scratch.drawnFirst)
        let scale = inverseTemperature
        for index in logits.indices {
            let value = logits[index]
            logits[index] = value == value ? expf((value - largest) * scale) : 0
        }
        if parameters.isFiltered { scratch.nucleus.filter(logits, parameters) }
        var total = 0.0
        for weight in logits { total += Double(weight) }
        let target = uniformDraw(seed: parameters.seed, position: outputCount) * total
        var (sum, last) = (0.0, Int(scratch.drawnFirst[0]))
        for token in scratch.drawnFirst where logits[Int(token)] > 0 {
            sum += Double(logits[Int(token)])
            if sum > target { return Int(token) }
            last = Int(token)
            logits[last] = 0
        }
        for index in logits.indices where logits[index] > 0 {
            sum += Double(logits[index])
            if sum > target { return index }
            last = index
        }
        return last
    }
}

/// Storage that samplers share, so that choosing a token allocates no memory.
public struct SamplerScratch: Sendable {
    var nucleus = Nucleus()
    var drawnFirst: [Int32] = []
    var rankedWeights: [Float] = []
    private var kept: [Float] = []

    /// Empty storage; it grows to one row.
    public init() {}

    mutating func keep(_ logits: UnsafeMutableBufferPointer<Float>) {
        kept.removeAll(keepingCapacity: true)
        kept.append(contentsOf: logits)
    }

    mutating func withKept<Result>(_ body: (UnsafeMutableBufferPointer<Float>) -> Result) -> Result {
        kept.withUnsafeMutableBufferPointer { body($0) }
    }
}

/// The random number of one output position, at least 0 and below 1: a function of seed and position alone, so that
/// neither other requests of the batch nor preemption can change a draw.
func uniformDraw(seed: UInt64, position: Int) -> Double {
    var request = SplitMix64(seed: seed)
    var draw = SplitMix64(seed: request.next() &+ UInt64(truncatingIfNeeded: position))
    // The upper 53 bits fill a double's mantissa.
    return Double(draw.next() >> 11) * 0x1p-53
}

/// The tokens that a request has seen, and how often it produced them: what penalties need.
struct SeenTokens: Sendable {
    /// Times in the output; zero for tokens of the prompt only.
    private var outputCounts: [Int32: Int] = [:]

    init(prompt: [Int32]) {
        for token in prompt { outputCounts[token] = 0 }
    }

    mutating func append(_ token: Int32) {
        outputCounts[token, default: 0] += 1
    }

    /// Penalizes the seen tokens: repetition as in CTRL (arXiv 1909.05858), frequency and presence as OpenAI does.
    func penalize(_ logits: UnsafeMutableBufferPointer<Float>, _ parameters: SamplingParameters) {
        for (token, count) in outputCounts where logits.indices.contains(Int(token)) {
            var value = logits[Int(token)]
            value = value > 0 ? value / parameters.repetitionPenalty : value * parameters.repetitionPenalty
            value -= parameters.frequencyPenalty * Float(count)
            if count > 0 { value -= parameters.presencePenalty }
            logits[Int(token)] = value
        }
    }
}

extension SamplingParameters {
    var hasPenalties: Bool { repetitionPenalty != 1 || frequencyPenalty != 0 || presencePenalty != 0 }
    /// Whether the most likely token is always taken.
    var isGreedy: Bool { temperature < 1e-5 }
    var isFiltered: Bool { topK > 0 || topP < 1 || minP > 0 }
}
