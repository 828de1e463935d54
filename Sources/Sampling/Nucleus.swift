import Requests

/// Sets the weights of unlikely tokens to zero: `min_p`, then `top_k`, then `top_p`.
///
/// No sort of the whole row: weights are counted into buckets by exponent and leading mantissa bits, and only the bucket
/// that holds the limit is sorted.
struct Nucleus: Sendable {
    private var bucketWeights = [Double](repeating: 0, count: Self.bucketCount)
    private var bucketSizes = [Int](repeating: 0, count: Self.bucketCount)
    private var boundary: [Int32] = []

    /// Weights are at most 1, whose bit pattern shifted is the last bucket.
    private static let shift: UInt32 = 19
    private static let bucketCount = Int(Float(1).bitPattern >> shift) + 1

    /// `weights[i] = exp(logit - largest)`, so the most likely token has 1 and NaN has become 0.
    mutating func filter(_ weights: UnsafeMutableBufferPointer<Float>, _ parameters: SamplingParameters) {
        if parameters.minP > 0 {
            for index in weights.indices where weights[index] < parameters.minP { weights[index] = 0 }
        }
        if parameters.topK > 0, parameters.topK < weights.count {
            let limit = parameters.topK
            keep(weights, whileLess: { size, _ in size < limit }, keepsTies: true)
        }
        if parameters.topP < 1 {
            var total = 0.0
            for weight in weights { total += Double(weight) }
            let limit = Double(parameters.topP) * total
            keep(weights, whileLess: { _, sum in sum < limit }, keepsTies: false)
        }
    }

    /// Keeps tokens from the most likely on while `isShort(tokens so far, their weight)`, and always the first.
    private mutating func keep(
        _ weights: UnsafeMutableBufferPointer<Float>, whileLess isShort: (Int, Double) -> Bool, keepsTies: Bool
    ) {
        for bucket in 0..<Self.bucketCount {
            bucketWeights[bucket] = 0
            bucketSizes[bucket] = 0
        }
        for weight in weights where weight > 0 {
            bucketWeights[Self.bucket(weight)] += Double(weight)
            bucketSizes[Self.bucket(weight)] += 1
        }
        var (size, sum) = (0, 0.0)
        var bucket = Self.bucketCount - 1
        while bucket > 0, isShort(size + bucketSizes[bucket], sum + bucketWeights[bucket]) {
            size += bucketSizes[bucket]
            sum += bucketWeights[bucket]
            bucket -= 1
        }
        boundary.removeAll(keepingCapacity: true)
        for index in weights.indices where weights[index] > 0 {
            let own = Self.bucket(weights[index])
            if own == bucket { boundary.append(Int32(truncatingIfNeeded: index)) }
            if own < bucket { weights[index] = 0 }
        }
        boundary.sort { (weights[Int($0)], $1) > (weights[Int($1)], $0) }
        var last: Float?
        for token in boundary {
            let weight = weights[Int(token)]
            if size == 0 || isShort(size, sum) || keepsTies && weight == last {
                size += 1
                sum += Double(weight)
                last = weight
            } else {
                weights[Int(token)] = 0
            }
        }
    }

    private static func bucket(_ weight: Float) -> Int { Int(weight.bitPattern >> shift) }
}

/// `Nucleus` where only the most likely tokens are known: the first `count` of them remain.
struct RankedNucleus {
    /// `exp((logit - largest) / temperature)`, falling; the first is 1.
    let weights: [Float]
    /// How many of them remain.
    private(set) var count: Int
    /// Whether no other token remains.
    private(set) var isWhole: Bool
    /// The sum of the weights of all tokens that remain, known or not.
    private(set) var total: Double

    /// All tokens. `total` is their sum where there are others than `weights`; else it is ignored.
    init(_ weights: [Float], isWhole: Bool, total: Double) {
        self.weights = weights
        self.isWhole = isWhole
        self.total = total
        count = weights.count
        if isWhole { self.total = sum }
    }

    private var sum: Double { weights.prefix(count).reduce(0) { $0 + Double($1) } }

    /// Keeps the tokens that `Nucleus.filter` keeps; false where the known tokens are too few to say.
    mutating func filter(_ parameters: SamplingParameters) -> Bool {
        if parameters.minP > 0 { keep(weights.prefix { $0 >= parameters.minP }.count) }
        if parameters.topK > 0, !isWhole || parameters.topK < count {
            guard parameters.topK <= count else { return false }
            // Ties with the last one stay.
            let last = weights[parameters.topK - 1]
            keep(weights[..<count].prefix { $0 >= last }.count)
        }
        // A limit that the known tokens do not reach is among the unknown ones.
        guard isWhole || parameters.minP <= 0 && parameters.topK == 0 else { return false }
        guard parameters.topP < 1 else { return true }
        let limit = Double(parameters.topP) * total
        var (kept, sum) = (0, 0.0)
        while kept < count, kept == 0 || sum < limit {
            sum += Double(weights[kept])
            kept += 1
        }
        guard isWhole || sum >= limit else { return false }
        isWhole = true
        keep(kept)
        return true
    }

    /// A limit among the known tokens leaves none of the others.
    private mutating func keep(_ kept: Int) {
        isWhole = isWhole || kept < count
        count = kept
        if isWhole { total = sum }
    }
}
