public import Requests

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Chooses one request's tokens, and remembers what that takes: which tokens it has seen, and how many it produced.
///
/// The choice is a function of the logits, the parameters, the seed and the position. Order, as in vLLM: bias, minimum
/// length, penalties, temperature, `min_p`, `top_k`, `top_p`, draw. Log probabilities are those of the model, before all
/// of that.
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

    /// Draws by inverting the cumulative distribution in order of token ids.
    private func draw(_ logits: UnsafeMutableBufferPointer<Float>, _ scratch: inout SamplerScratch) -> Int {
        let largest = logits.largest()
        guard largest > -.infinity, largest < .infinity else { return logits.argmax() }
        let scale = 1 / parameters.temperature
        for index in logits.indices {
            let value = logits[index]
            logits[index] = value == value ? expf((value - largest) * scale) : 0
        }
        if parameters.isFiltered { scratch.nucleus.filter(logits, parameters) }
        var total = 0.0
        for weight in logits { total += Double(weight) }
        let target = uniformDraw(seed: parameters.seed, position: outputCount) * total
        var (sum, last) = (0.0, 0)
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
