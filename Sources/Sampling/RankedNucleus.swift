import Requests

/// `Nucleus` where only the most likely tokens are known: what remains is a beginning of them.
struct RankedNucleus {
    /// `exp((logit - largest) / temperature)`, falling; the first is 1.
    let weights: [Float]
    /// How many of them remain.
    private(set) var count: Int
    /// Whether no token beside them remains.
    private(set) var isWhole: Bool
    /// The sum of all weights that remain, known or not.
    private(set) var total: Double

    /// All tokens; `total` counts only where there are others than `weights`.
    init(_ weights: [Float], isWhole: Bool, total: Double) {
        self.weights = weights
        self.isWhole = isWhole
        self.total = total
        count = weights.count
        if isWhole { self.total = sum }
    }

    private var sum: Double { weights.prefix(count).reduce(0) { $0 + Double($1) } }

    /// Keeps what `Nucleus.filter` keeps; false where that cannot be said from the known ones.
    mutating func filter(_ parameters: SamplingParameters) -> Bool {
        if parameters.minP > 0 { keep(weights.prefix { $0 >= parameters.minP }.count) }
        if parameters.topK > 0, !isWhole || parameters.topK < count {
            guard parameters.topK <= count else { return false }
            // Ties with the last one stay.
            let last = weights[parameters.topK - 1]
            keep(weights[..<count].prefix { $0 >= last }.count)
        }
        // A limit that has not fallen yet falls among the unknown.
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

    /// A limit that falls among the known tokens leaves none of the others.
    private mutating func keep(_ kept: Int) {
        isWhole = isWhole || kept < count
        count = kept
        if isWhole { total = sum }
    }
}
