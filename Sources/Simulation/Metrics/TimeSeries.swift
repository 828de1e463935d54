import KVCaching
import Requests
import Scheduling
import SharedValues

/// A number over simulated time in bounded memory: means over intervals, whose length doubles when there are too many.
struct TimeSeries: Sendable {
    private static let limit = 240

    private(set) var intervalSeconds = 1e-3
    private var sums: [Double] = []
    private var weights: [Double] = []

    /// Adds `value` for `duration` seconds from `time` on.
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
            let overlap = min(end, Double(index + 1) * intervalSeconds) - max(time, Double(index) * intervalSeconds)
            guard overlap > 0 else { continue }
            sums[index] += value * overlap
            weights[index] += overlap
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

    /// Means in order of time, 0 for intervals without values.
    var values: [Double] { zip(sums, weights).map { $1 > 0 ? $0 / $1 : 0 } }
}

/// The use of the cache's memory, over time.
struct CacheUse: Sendable {
    private let setup: SimulationSetup
    private var seconds = 0.0
    private var (used, allocated, wasted, reserved) = (0.0, 0.0, 0.0, 0.0)
    private var maximum = 0.0

    init(_ setup: SimulationSetup) {
        self.setup = setup
    }

    mutating func add(_ output: SchedulerOutput, _ statistics: SchedulerStatistics, for duration: Double) {
        var slots = 0
        var unused = 0
        for scheduled in output.scheduled {
            let end = scheduled.firstPosition + scheduled.tokens.count
            for (group, blocks) in zip(setup.groups, scheduled.blocks) {
                let room = group.blockSize * blocks.count { $0 != BlockTable.none }
                slots += room
                // Only the last block of a group has slots without tokens.
                unused += group.blockSize * blocks.count - end
            }
        }
        seconds += duration
        used += statistics.cacheUsage * duration
        maximum = max(maximum, statistics.cacheUsage)
        allocated += Double(slots) * duration
        wasted += Double(unused) * duration
        reserved += Double(output.scheduled.count * setup.limits.maxModelLength * setup.groups.count) * duration
    }

    var figures: PolicyReport.Cache {
        PolicyReport.Cache(
            meanUse: seconds > 0 ? used / seconds : 0, maxUse: maximum, waste: allocated > 0 ? wasted / allocated : 0,
            shareOfReserving: reserved > 0 ? allocated / reserved : 0)
    }
}
