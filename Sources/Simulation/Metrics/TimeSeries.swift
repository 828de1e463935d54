/// Numbers over simulated time in bounded memory: means over intervals, which double whenever they become too many.
struct TimeSeries: Sendable {
    private static let limit = 240

    private(set) var intervalSeconds = 1e-3
    private var sums: [Double] = []
    private var weights: [Double] = []

    /// `value` held for `duration` seconds, from `time` on.
    mutating func add(_ value: Double, at time: Double, for duration: Double) {
        var index = Int(time / intervalSeconds)
        while index >= Self.limit {
            coarsen()
            index = Int(time / intervalSeconds)
        }
        if index >= sums.count {
            let missing = index + 1 - sums.count
            sums += Array(repeating: 0, count: missing)
            weights += Array(repeating: 0, count: missing)
        }
        sums[index] += value * duration
        weights[index] += duration
    }

    private mutating func coarsen() {
        func halved(_ numbers: [Double]) -> [Double] {
            stride(from: 0, to: numbers.count, by: 2).map {
                numbers[$0] + ($0 + 1 < numbers.count ? numbers[$0 + 1] : 0)
            }
        }
        (sums, weights) = (halved(sums), halved(weights))
        intervalSeconds *= 2
    }

    /// Means in order of time, 0 where nothing was known.
    var values: [Double] { zip(sums, weights).map { $1 > 0 ? $0 / $1 : 0 } }
}
