import CLibrary

/// How a router turns its logits into chosen experts and their weights.
///
/// Qwen3-MoE, for example, takes the softmax of all logits, chooses the eight best, and divides their weights by their sum:
///
/// ```swift
/// ExpertRouting(expertCount: 128, choiceCount: 8, scoring: .softmax, isNormalized: true)
/// ```
public struct ExpertRouting: Sendable, Hashable {
    /// From logits to scores.
    public enum Scoring: Sendable, Hashable {
        /// Softmax of all logits.
        case softmax
        /// `1 / (1 + exp(-logit))`.
        case sigmoid
        /// PhiMoE's (arXiv 2409.12136, and transformers' `sparsemixer`): the best expert is chosen, then the best of the
        /// others, and so on. `m` being the logit of the one that is chosen, those not chosen yet whose logit `l` has
        /// `m - l <= 2 * jitter * max(|l|, m)` share a softmax, and the weight is the chosen one's. In 32-bit floats, so
        /// that backends agree on which ones share.
        case sparseMixer(jitter: Float)
    }

    /// Experts in equal groups, of which only some may be chosen from (DeepSeek-V2, arXiv 2405.04434, 2.1.2).
    public struct Groups: Sendable, Hashable {
        public let count: Int
        /// Groups that are chosen from.
        public let chosenCount: Int
        /// A group's score is the sum of so many best scores in it: 1 in DeepSeek-V2, 2 in DeepSeek-V3.
        public let scoreCount: Int

        public init(count: Int, chosenCount: Int, scoreCount: Int) {
            self.count = count
            self.chosenCount = chosenCount
            self.scoreCount = scoreCount
        }
    }

    public let expertCount: Int
    /// Experts of each row.
    public let choiceCount: Int
    public let scoring: Scoring
    /// Nil: each expert may be chosen.
    public let groups: Groups?
    /// Whether the weights of the chosen ones are divided by their sum. With softmax this is the softmax of the chosen logits.
    public let isNormalized: Bool
    /// Factor on the weights.
    public let scale: Float

    public init(
        expertCount: Int, choiceCount: Int, scoring: Scoring, groups: Groups? = nil, isNormalized: Bool,
        scale: Float = 1
    ) {
        self.expertCount = expertCount
        self.choiceCount = choiceCount
        self.scoring = scoring
        self.groups = groups
        self.isNormalized = isNormalized
        self.scale = scale
    }

    /// Width of a route: the numbers of the chosen experts, then their weights.
    public var routeWidth: Int { 2 * choiceCount }

    /// What does not fit; nil where everything does.
    var misfit: String? {
        guard (1...max(expertCount, 1)).contains(choiceCount) else { return "\(choiceCount) of \(expertCount) experts" }
        if case .sparseMixer = scoring, groups != nil || isNormalized { return "a sparse mixer with groups or a norm" }
        guard let groups else { return nil }
        guard groups.count > 0, expertCount % groups.count == 0, (1...groups.count).contains(groups.chosenCount) else {
            return "\(groups.chosenCount) of \(groups.count) groups of \(expertCount) experts"
        }
        let size = expertCount / groups.count
        guard (1...size).contains(groups.scoreCount), choiceCount <= groups.chosenCount * size else {
            return "\(choiceCount) experts of \(groups.chosenCount) groups of \(size)"
        }
        return nil
    }

    /// Numbers of scratch memory that `route` needs.
    public var scratchCount: Int {
        2 * expertCount + (groups.map { $0.count + expertCount / max($0.count, 1) } ?? 0)
    }

    /// Routes one row, without allocating. This is the operation's definition: backends on the host call it, kernels of
    /// devices are compared with it.
    ///
    /// - Parameters:
    ///   - logits: `[expertCount]`. A NaN counts as the lowest number.
    ///   - bias: Added to the scores for the choice only (DeepSeek-V3's correction); `[expertCount]`. A sparse mixer has none.
    ///   - factors: On the weight of each expert (Gemma 4); `[expertCount]`.
    ///   - route: Receives `routeWidth` numbers: the experts, the best first and of equal ones the one with the lowest
    ///     number, then their weights.
    ///   - scratch: Room for `scratchCount` numbers.
    public func route(
        _ logits: UnsafePointer<Float>, bias: UnsafePointer<Float>?, factors: UnsafePointer<Float>?,
        to route: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Double>
    ) {
        let (scores, ranks) = (scratch, scratch + expertCount)
        if case .sparseMixer(let jitter) = scoring {
            mix(logits, jitter: jitter, scores, ranks, to: route)
        } else {
            score(logits, scores)
            for expert in 0..<expertCount {
                let rank = scores[expert] + Double(bias?[expert] ?? 0)
                ranks[expert] = rank.isNaN ? -.infinity : rank
            }
            if let groups { exclude(groups, ranks, scratch: ranks + expertCount) }
            for choice in 0..<choiceCount { route[choice] = Float(Self.takeBest(ranks, expertCount)) }
        }
        var sum = 0.0
        for choice in 0..<choiceCount { sum += scores[Int(route[choice])] }
        for choice in 0..<choiceCount {
            let expert = Int(route[choice])
            let weight = isNormalized ? scores[expert] / max(sum, 1e-20) : scores[expert]
            route[choiceCount + choice] = Float(weight * Double(scale) * Double(factors?[expert] ?? 1))
        }
    }

    /// The choices of a sparse mixer; `scores` gets the weight of each chosen expert.
    private func mix(
        _ logits: UnsafePointer<Float>, jitter: Float, _ scores: UnsafeMutablePointer<Double>,
        _ ranks: UnsafeMutablePointer<Double>, to route: UnsafeMutablePointer<Float>
    ) {
        for expert in 0..<expertCount { ranks[expert] = logits[expert].isNaN ? -.infinity : Double(logits[expert]) }
        for choice in 0..<choiceCount {
            let best = Self.takeBest(ranks, expertCount)
            route[choice] = Float(best)
            let chosen = logits[best]
            var sum = 1.0
            for expert in 0..<expertCount where !ranks[expert].isNaN {
                let logit = logits[expert]
                let isShared = chosen - logit <= 2 * jitter * max(abs(logit), chosen)
                if isShared { sum += exp(Double(logit) - Double(chosen)) }
            }
            scores[best] = 1 / sum
        }
    }

    private func score(_ logits: UnsafePointer<Float>, _ scores: UnsafeMutablePointer<Double>) {
        switch scoring {
        case .softmax:
            var largest = -Double.infinity
            for expert in 0..<expertCount { largest = max(largest, Double(logits[expert])) }
            var sum = 0.0
            for expert in 0..<expertCount {
                scores[expert] = exp(Double(logits[expert]) - largest)
                sum += scores[expert]
            }
            for expert in 0..<expertCount { scores[expert] /= sum }
        case .sigmoid:
            for expert in 0..<expertCount { scores[expert] = 1 / (1 + exp(-Double(logits[expert]))) }
        case .sparseMixer: preconditionFailure("a sparse mixer chooses and weighs at once")
        }
    }

    /// Takes the experts of all groups but the best ones away.
    private func exclude(
        _ groups: Groups, _ ranks: UnsafeMutablePointer<Double>, scratch sums: UnsafeMutablePointer<Double>
    ) {
        let (size, members) = (expertCount / groups.count, sums + groups.count)
        for group in 0..<groups.count {
            for member in 0..<size { members[member] = ranks[group * size + member] }
            var sum = 0.0
            for _ in 0..<groups.scoreCount { sum += ranks[group * size + Self.takeBest(members, size)] }
            sums[group] = sum.isNaN ? -.infinity : sum
        }
        for _ in 0..<groups.chosenCount { _ = Self.takeBest(sums, groups.count) }
        for group in 0..<groups.count where !sums[group].isNaN {
            for member in 0..<size { ranks[group * size + member] = .nan }
        }
    }

    /// The index of the greatest number, the first of several. It becomes NaN, which is never taken.
    private static func takeBest(_ numbers: UnsafeMutablePointer<Double>, _ count: Int) -> Int {
        var best = 0
        for index in 1..<max(count, 1) where numbers[best].isNaN || numbers[index] > numbers[best] { best = index }
        numbers[best] = .nan
        return best
    }
}
