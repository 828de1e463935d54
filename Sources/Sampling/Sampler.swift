import CLibrary
public import Requests
public import SharedValues

/// Chooses one request's tokens, and remembers what that takes: which tokens it has seen, and how many it produced.
///
/// The choice is a function of the logits, the parameters, the seed and the position. Order, as in vLLM: bias, minimum
/// length, penalties, temperature, `min_p`, `top_k`, `top_p`, draw. Log probabilities are those of the model, before all
/// of that. A draw walks from the most likely token on, so mostly it needs no others.
public struct Sampler: Sendable {
    private let parameters: SamplingParameters
    private var seen: SeenTokens
    private var outputCount = 0

    /// A sampler for a request with this prompt.
    public init(parameters: SamplingParameters, prompt: [Int32]) {
        self.parameters = parameters
        seen = SeenTokens(prompt: parameters.hasPenalties ? prompt : [])
    }

    /// Chooses the next token from `logits`, `[vocabularySize]`, which it may overwrite.
    public mutating func sample(
        _ logits: UnsafeMutableBufferPointer<Float>, scratch: inout SamplerScratch
    ) -> (token: Int32, logprobs: TokenLogprobs?) {
        if parameters.logprobs != nil { scratch.keep(logits) }
        adjust(logits)
        let token = Int32(truncatingIfNeeded: parameters.isGreedy ? logits.argmax() : draw(logits, &scratch))
        outputCount += 1
        if parameters.hasPenalties { seen.append(token) }
        guard let topCount = parameters.logprobs else { return (token, nil) }
        return (token, scratch.withKept { logprobs(of: token, topCount: topCount, in: $0) })
    }

    /// Whether the most likely tokens are enough to choose the next one, as far as can be said before they are known.
    public var wantsRankedTokens: Bool {
        parameters.logitBias.isEmpty && !parameters.hasPenalties && outputCount >= parameters.minTokens
            && parameters.logprobs ?? 0 <= RankedTokens.maximumCount
    }

    /// What `RankedTokens.temperedSum` multiplies logits by.
    public var inverseTemperature: Float { parameters.isGreedy ? 1 : 1 / parameters.temperature }

    /// Chooses the next token as `sample` of the whole row does; nil where that takes more than `ranked` says.
    /// Precondition: `wantsRankedTokens`.
    public mutating func sample(
        _ ranked: RankedTokens, scratch: inout SamplerScratch
    ) -> (token: Int32, logprobs: TokenLogprobs?)? {
        let topCount = parameters.logprobs
        guard topCount ?? 0 <= ranked.tokens.count, let place = place(in: ranked, &scratch) else { return nil }
        outputCount += 1
        return (ranked.tokens[place], topCount.map { ranked.logprobs(at: place, topCount: $0) })
    }

    private func place(in ranked: RankedTokens, _ scratch: inout SamplerScratch) -> Int? {
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

    private func adjust(_ logits: UnsafeMutableBufferPointer<Float>) {
        for (token, bias) in parameters.logitBias where logits.indices.contains(Int(token)) {
            logits[Int(token)] += bias
        }
        if outputCount < parameters.minTokens {
            for token in parameters.endTokenIDs + parameters.stopTokenIDs where logits.indices.contains(Int(token)) {
                logits[Int(token)] = -.infinity
            }
        }
        if parameters.hasPenalties { seen.penalize(logits, parameters) }
    }

    /// Draws by inverting the cumulative distribution: the most likely tokens first, then the others by id.
    private func draw(_ logits: UnsafeMutableBufferPointer<Float>, _ scratch: inout SamplerScratch) -> Int {
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

/// Storage that samplers share, so that choosing a token allocates nothing.
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
