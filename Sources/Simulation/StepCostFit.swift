/// The step cost that explains measured steps best.
///
/// Least squares of relative errors, so that a step of one token counts as much as one of a thousand, without negative
/// costs. The curve over a step's tokens may only rise.
public struct StepCostFit: Sendable, Hashable {
    /// How far the cost is from what was measured, as shares of that.
    public struct Errors: Sendable, Hashable, Codable {
        /// Half of the steps are at most so far off, nine in ten, and all.
        public let median, p90, max: Double
    }

    /// What was found.
    public let cost: StepCost
    /// What it leaves.
    public let errors: Errors

    /// Fits the steps that compute something, and the copies apart from them: over blocks of one size, `blockSize`
    /// tokens, what a block costs and what its tokens cost cannot be told apart, and all of it counts for the tokens.
    /// Precondition: some step computes something, and all took time.
    public init(_ samples: [StepSample], blockSize: Int) {
        let steps = samples.filter { $0.features.rowCount > 0 && $0.features.moveCount == 0 }
        let moves = samples.filter { $0.features.rowCount == 0 && $0.features.moveCount > 0 }
        precondition(!steps.isEmpty && samples.allSatisfy { $0.seconds > 0 }, "no steps that took time")
        let knots = Self.knots(steps.map(\.features.rowCount))
        let found = NonNegativeLeastSquares.solve(
            steps.map { sample in
                let step = sample.features
                let parts = [step.sequenceCount, step.contextTokenCount, step.promptPairCount].map { Double($0) }
                return (Self.rises(at: step.rowCount, knots) + parts).map { $0 / sample.seconds }
            })
        var cost = StepCost(
            fixedSeconds: 0, promptTokenSeconds: 0, sequenceSeconds: found[knots.count],
            contextTokenSeconds: found[knots.count + 1])
        cost.promptPairSeconds = found[knots.count + 2]
        var seconds = 0.0
        for (knot, rise) in zip(knots, found) {
            seconds += rise
            cost.curve.append(StepCost.Point(tokenCount: knot, seconds: seconds))
        }
        if !moves.isEmpty {
            let found = NonNegativeLeastSquares.solve(
                moves.map { [Double($0.features.moveCount * blockSize) / $0.seconds] })
            cost.moveTokenSeconds = found[0]
        }
        self.cost = cost
        errors = Errors(
            (steps + moves).map { abs(cost.seconds(of: $0.features, blockSize: blockSize) / $0.seconds - 1) })
    }

    /// Where the curve bends: powers of two up to 64, of four from there, and the most tokens that were measured.
    private static func knots(_ counts: [Int]) -> [Int] {
        let measured = Set(counts)
        let last = counts.max() ?? 1
        let powers = [1, 2, 4, 8, 16, 32, 64] + sequence(first: 256) { $0 * 4 }.prefix { $0 < last }
        return powers.filter { measured.contains($0) && $0 < last } + [last]
    }

    /// How much of the rise up to each knot a step of so many tokens has behind it, 0 to 1: all of the first.
    private static func rises(at tokenCount: Int, _ knots: [Int]) -> [Double] {
        knots.indices.map { index in
            guard index > 0 else { return 1 }
            let (start, end) = (knots[index - 1], knots[index])
            return min(max(Double(tokenCount - start) / Double(end - start), 0), 1)
        }
    }
}

extension StepCostFit.Errors {
    init(_ values: [Double]) {
        let sorted = values.sorted()
        func value(_ share: Double) -> Double { sorted[Int((share * Double(sorted.count - 1)).rounded())] }
        self.init(median: value(0.5), p90: value(0.9), max: value(1))
    }
}
