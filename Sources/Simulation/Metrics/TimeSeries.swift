/// Numbers over simulated time in bounded memory: means over intervals, which double whenever they become too many.
struct TimeSeries: Sendable {
    private static let limit = 240

    private(set) var intervalSeconds = 1e-3
    private var sums: [Double] = []
    private var weights: [Double] = []

    /// `value` held for `duration` seconds, from `time` on.
    mutating func add(_ value: Double, at time: Double, for duration: Double) {
        let end = time + duration
        while Int(end / intervalSeconds) >= Self.limit { coarsen() }
        let first = Int(time / intervalSeconds)
        let last = max(first, Int((end / intervalSeconds).rounded(.up)) - 1)
        if last >= sums.count {
            let missing = last + 1 - sums.count
            sums += Array(repeating: 0, count: missing)
            weights += Array(repeating: 0, count: missing)
        }
        for index in first...last {
            let share = min(end, Double(index + 1) * intervalSeconds) - max(time, Double(index) * intervalSeconds)
            guard share > 0 else { continue }
            sums[index] += value * share
            weights[index] += share
        }
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
