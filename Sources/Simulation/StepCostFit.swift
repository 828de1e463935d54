/// A measured step.
public struct StepSample: Sendable, Hashable, Codable {
    public let features: StepFeatures
    public let seconds: Double

    public init(features: StepFeatures, seconds: Double) {
        self.features = features
        self.seconds = seconds
    }
}

/// The step cost that fits measured steps best.
///
/// Least squares of relative errors, so that a step of one token counts as much as one of a thousand, without negative
/// costs. The curve over a step's tokens may only rise.
public struct StepCostFit: Sendable, Hashable {
    /// Relative errors of the fitted cost.
    public struct Errors: Sendable, Hashable, Codable {
        /// Median, 90th percentile and maximum over the steps.
        public let median, p90, max: Double
    }

    public let cost: StepCost
    public let errors: Errors

    /// Fits the steps that compute something, and the copies apart from them. All blocks have `blockSize` tokens, so the
    /// cost of a block and that of its tokens cannot be told apart: all of it is counted for the tokens.
    /// Precondition: some step computes something, and all took time.
    public init(_ samples: [StepSample], blockSize: Int) {
        let steps = samples.filter { $0.features.rowCount > 0 && $0.features.moveCount == 0 }
        let moves = samples.filter { $0.features.rowCount == 0 && $0.features.moveCount > 0 }
        precondition(!steps.isEmpty && samples.allSatisfy { $0.seconds > 0 }, "no steps that took time")
        let knots = Self.knots(steps.map(\.features.rowCount))
        let solution = NonNegativeLeastSquares.solve(
            steps.map { sample in
                let step = sample.features
                let parts = [step.sequenceCount, step.contextTokenCount, step.promptPairCount].map { Double($0) }
                return (Self.rises(at: step.rowCount, knots) + parts).map { $0 / sample.seconds }
            })
        var cost = StepCost(
            fixedSeconds: 0, promptTokenSeconds: 0, sequenceSeconds: solution[knots.count],
            contextTokenSeconds: solution[knots.count + 1])
        cost.promptPairSeconds = solution[knots.count + 2]
        var seconds = 0.0
        for (knot, rise) in zip(knots, solution) {
            seconds += rise
            cost.curve.append(StepCost.Point(tokenCount: knot, seconds: seconds))
        }
        if !moves.isEmpty {
            let solution = NonNegativeLeastSquares.solve(
                moves.map { [Double($0.features.moveCount * blockSize) / $0.seconds] })
            cost.moveTokenSeconds = solution[0]
        }
        self.cost = cost
        errors = Errors(
            (steps + moves).map { abs(cost.seconds(of: $0.features, blockSize: blockSize) / $0.seconds - 1) })
    }

    /// The points where the curve bends: powers of two up to 64, powers of four above, and the largest measured count.
    private static func knots(_ counts: [Int]) -> [Int] {
        let measured = Set(counts)
        let last = counts.max() ?? 1
        let powers = [1, 2, 4, 8, 16, 32, 64] + sequence(first: 256) { $0 * 4 }.prefix { $0 < last }
        return powers.filter { measured.contains($0) && $0 < last } + [last]
    }

    /// For a step of `tokenCount` tokens: the fraction of the curve's rise before each knot that the step includes, 0 to 1.
    /// The first knot's is always 1.
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
        func value(_ quantile: Double) -> Double { sorted[Int((quantile * Double(sorted.count - 1)).rounded())] }
        self.init(median: value(0.5), p90: value(0.9), max: value(1))
    }
}

/// Least squares without negative unknowns, for a handful of them.
enum NonNegativeLeastSquares {
    /// The greatest number of sweeps; a dozen unknowns need some thousands.
    private static let maxSweepCount = 100_000

    /// The unknowns, none of them negative, for which each row's weighted sum is closest to 1. One that no row contains is
    /// 0.
    ///
    /// Coordinate descent on the normal equations: each unknown in turn takes its best value while the others stand
    /// still. The problem is convex, so this ends in its solution (Franc, Hlaváč, Navara, CAIP 2005).
    static func solve(_ rows: [[Double]]) -> [Double] {
        let count = rows.first?.count ?? 0
        // Scales the unknowns to equal lengths, because some are microseconds and others seconds.
        let lengths = (0..<count).map { column in
            rows.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot()
        }
        let scales = lengths.map { $0 > 0 ? 1 / $0 : 0 }
        var products = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
        var targets = [Double](repeating: 0, count: count)
        for row in rows {
            let scaled = zip(row, scales).map { $0 * $1 }
            for left in 0..<count {
                targets[left] += scaled[left]
                for right in 0..<count { products[left][right] += scaled[left] * scaled[right] }
            }
        }
        var solution = [Double](repeating: 0, count: count)
        for _ in 0..<maxSweepCount {
            var change = 0.0
            for index in 0..<count where products[index][index] > 0 {
                let sum = zip(products[index], solution).reduce(0) { $0 + $1.0 * $1.1 }
                let value = max(0, solution[index] + (targets[index] - sum) / products[index][index])
                change = max(change, abs(value - solution[index]))
                solution[index] = value
            }
            if change < 1e-12 { break }
        }
        return zip(solution, scales).map { $0 * $1 }
    }
}
