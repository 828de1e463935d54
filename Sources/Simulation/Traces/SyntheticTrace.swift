import CLibrary
import SharedValues

/// Requests that are generated one at a time; equal parameters give equal traces.
public struct SyntheticTrace: Trace, Sendable {
    private let parameters: SyntheticParameters
    /// Cumulative fractions of the requests, by tenant, up to 1.
    private var cumulative: [Double] = []
    /// Lengths of the tenants' answers, relative to the mean.
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
            cumulative.append(sum)
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
            let tenant = cumulative.firstIndex { point <= $0 } ?? cumulative.count - 1
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

    /// The time until the next arrival, 1 on average.
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

/// The parameters of a synthetic trace.
public struct SyntheticParameters: Sendable, Hashable {
    /// How arrivals are spaced.
    public enum Arrivals: String, Sendable, CaseIterable {
        /// Independently.
        case poisson
        /// In bursts: gaps are gamma distributed with coefficient of variation `burstiness`.
        case gamma
    }

    /// How long prompts and answers are.
    public enum Lengths: String, Sendable, CaseIterable {
        /// Log-normal around the means of ShareGPT conversations: 161 tokens in, 338 out (arXiv 2309.06180).
        case sharegpt
        /// Likewise for Alpaca instructions: 19 tokens in, 58 out.
        case alpaca
        /// Exactly `prompt` and `output` tokens.
        case fixed
    }

    /// Requests in all.
    public var count = 1000
    /// Requests a second, on average.
    public var rate = 4.0
    public var arrivals = Arrivals.poisson
    /// Coefficient of variation of gamma gaps; 1 would be Poisson.
    public var burstiness = 3.0
    public var lengths = Lengths.sharegpt
    /// Prompt tokens where lengths are fixed.
    public var prompt = 128
    /// Output tokens where lengths are fixed.
    public var output = 128
    /// The greatest number of prompt and output tokens together.
    public var maxLength = 2048
    public var tenants = 1
    /// How unequal they are: tenant `i` sends in proportion to `1 / (i + 1) ^ skew`.
    public var skew = 0.0
    /// The last tenant's answers are this many times as long as the first one's.
    public var contrast = 1.0
    /// The fraction of requests with priority 0; all others have 1.
    public var urgent = 1.0
    /// The number of different shared prefixes; 0 for none.
    public var prefixes = 0
    /// Tokens of each prefix, added to the prompt.
    public var prefixTokens = 256
    /// Milliseconds to each request's deadline; 0 for none.
    public var deadlineMs = 0
    /// Equal seeds give equal traces.
    public var seed = 1

    /// A thousand ShareGPT-like requests at four a second.
    public init() {}

    /// Reads `rate=8,count=10000,…`. Throws the name of a parameter that is unknown or out of range.
    public init(_ text: String) throws(SimulationError) {
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map { String($0) }
            guard pair.count == 2 else {
                throw .badParameter(name: String(part), expected: "NAME=VALUE", found: String(part))
            }
            try set(pair[0], to: pair[1])
        }
    }

    /// Every parameter's name.
    public static let names = [
        "count", "rate", "arrivals", "burstiness", "lengths", "prompt", "output", "max_length", "tenants", "skew",
        "contrast",
        "urgent", "prefixes", "prefix_tokens", "deadline_ms", "seed",
    ]

    private mutating func set(_ name: String, to text: String) throws(SimulationError) {
        func integer(_ range: ClosedRange<Int>) throws(SimulationError) -> Int {
            guard let value = Int(text), range.contains(value) else {
                let expected = "an integer from \(range.lowerBound) to \(range.upperBound)"
                throw .badParameter(name: name, expected: expected, found: text)
            }
            return value
        }
        func number(_ range: ClosedRange<Double>) throws(SimulationError) -> Double {
            guard let value = Double(text), range.contains(value) else {
                let expected = "a number from \(range.lowerBound) to \(range.upperBound)"
                throw .badParameter(name: name, expected: expected, found: text)
            }
            return value
        }
        func choice<T: RawRepresentable & CaseIterable>() throws(SimulationError) -> T where T.RawValue == String {
            guard let value = T(rawValue: text) else {
                let known = T.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badParameter(name: name, expected: known, found: text)
            }
            return value
        }
        switch name {
        case "count": count = try integer(1...1_000_000_000)
        case "rate": rate = try number(1e-6...1e9)
        case "arrivals": arrivals = try choice()
        case "burstiness": burstiness = try number(0.1...20)
        case "lengths": lengths = try choice()
        case "prompt": prompt = try integer(1...(1 << 20))
        case "output": output = try integer(1...(1 << 20))
        case "max_length": maxLength = try integer(2...(1 << 20))
        case "tenants": tenants = try integer(1...100_000)
        case "skew": skew = try number(0...10)
        case "contrast": contrast = try number(0.001...1000)
        case "urgent": urgent = try number(0...1)
        case "prefixes": prefixes = try integer(0...1_000_000)
        case "prefix_tokens": prefixTokens = try integer(1...(1 << 20))
        case "deadline_ms": deadlineMs = try integer(0...(1 << 40))
        case "seed": seed = try integer(0...Int.max)
        default:
            throw .badParameter(name: name, expected: "one of \(Self.names.joined(separator: ", "))", found: name)
        }
    }
}
