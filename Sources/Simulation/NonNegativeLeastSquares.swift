/// Least squares without negative unknowns, for a handful of them.
enum NonNegativeLeastSquares {
    /// Sweeps at most; a dozen unknowns need some thousands.
    private static let maxSweepCount = 100_000

    /// The unknowns, none of them negative, for which each row's weighted sum is closest to 1. One that no row has is 0.
    ///
    /// Coordinate descent on the normal equations: each unknown in turn takes its best value while the others stand
    /// still. The problem is convex, so this ends in its solution (Franc, Hlaváč, Navara, CAIP 2005).
    static func solve(_ rows: [[Double]]) -> [Double] {
        let count = rows.first?.count ?? 0
        // Unknowns of equal length, as microseconds stand beside seconds.
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
        var found = [Double](repeating: 0, count: count)
        for _ in 0..<maxSweepCount {
            var change = 0.0
            for index in 0..<count where products[index][index] > 0 {
                let sum = zip(products[index], found).reduce(0) { $0 + $1.0 * $1.1 }
                let value = max(0, found[index] + (targets[index] - sum) / products[index][index])
                change = max(change, abs(value - found[index]))
                found[index] = value
            }
            if change < 1e-12 { break }
        }
        return zip(found, scales).map { $0 * $1 }
    }
}
