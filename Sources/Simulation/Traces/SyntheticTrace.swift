import CLibrary
import SharedValues

/// Requests made up as they are asked for; equal parameters give equal traces.
public struct SyntheticTrace: Trace, Sendable {
    private let parameters: SyntheticParameters
    /// Sums of the tenants' shares of the requests, up to 1.
    private var shares: [Double] = []
    /// How long the tenants' answers are, 1 on average.
    private var factors: [Double] = []
    private var random: SplitMix64
    private var now = 0.0
    private var made = 0

    /// The trace that `parameters` describe.
    public init(_ parameters: SyntheticParameters) {
        self.parameters = parameters
        random = SplitMix64(seed: UInt64(parameters.seed))
        let weights = (0..<parameters.tenants).map { 1 / pow(Double($0 + 1), parameters.skew) }
        let total = weights.reduce(0, +)
        let last = Double(max(parameters.tenants - 1, 1))
        factors = (0..<parameters.tenants).map { pow(parameters.contrast, Double($0) / last) }
        let mean = zip(weights, factors).map { $0 * $1 }.reduce(0, +) / total
        factors = factors.map { $0 / mean }
        var sum = 0.0
        for weight in weights {
            sum += weight / total
            shares.append(sum)
        }
    }

    /// The next request.
    public mutating func next() -> TraceRequest? {
        guard made < parameters.count else { return nil }
        made += 1
        now += gap() / parameters.rate
        var (prompt, output) = lengths()
        var request = TraceRequest(arrivalSeconds: now, promptCount: 0, outputCount: 0)
        if parameters.tenants > 1 {
            let point = random.uniform()
            let tenant = shares.firstIndex { point <= $0 } ?? shares.count - 1
            request.tenant = "tenant \(tenant)"
            output = max(1, Int((Double(output) * factors[tenant]).rounded()))
        }
        if parameters.prefixes > 0 {
            request.prefixID = "\(Int.random(in: 0..<parameters.prefixes, using: &random))"
            request.prefixCount = min(parameters.prefixTokens, parameters.maxLength - 2)
            prompt += request.prefixCount
        }
        prompt = min(prompt, parameters.maxLength - 1)
        output = min(output, parameters.maxLength - prompt)
        request.promptCount = prompt
        request.outputCount = output
        if parameters.urgent < 1 { request.priority = random.uniform() <= parameters.urgent ? 0 : 1 }
        if parameters.deadlineMs > 0 { request.deadlineSeconds = Double(parameters.deadlineMs) / 1000 }
        return request
    }

    /// Until the next arrival, 1 on average.
    private mutating func gap() -> Double {
        switch parameters.arrivals {
        case .poisson: -log(random.uniform())
        case .gamma: random.gamma(shape: 1 / (parameters.burstiness * parameters.burstiness))
        }
    }

    private mutating func lengths() -> (prompt: Int, output: Int) {
        switch parameters.lengths {
        case .sharegpt: (sample(mean: 161, sigma: 1.1), sample(mean: 338, sigma: 0.9))
        case .alpaca: (sample(mean: 19, sigma: 0.6), sample(mean: 58, sigma: 1.0))
        case .fixed: (parameters.prompt, parameters.output)
        }
    }

    private mutating func sample(mean: Double, sigma: Double) -> Int {
        max(1, Int(min(random.logNormal(mean: mean, sigma: sigma), 1e6)))
    }
}
