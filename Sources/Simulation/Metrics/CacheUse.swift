import Requests
import Scheduling

/// How well the cache's memory is used, over time.
struct CacheUse: Sendable {
    private let setup: SimulationSetup
    private var seconds = 0.0
    private var (used, allocated, wasted, reserved) = (0.0, 0.0, 0.0, 0.0)
    private var most = 0.0

    init(_ setup: SimulationSetup) {
        self.setup = setup
    }

    mutating func add(_ output: SchedulerOutput, _ statistics: SchedulerStatistics, for duration: Double) {
        var slots = 0
        var unused = 0
        for scheduled in output.scheduled {
            let room = scheduled.blocks.count * setup.blockSize
            slots += room
            unused += room - scheduled.firstPosition - scheduled.tokens.count
        }
        seconds += duration
        used += statistics.cacheUsage * duration
        most = max(most, statistics.cacheUsage)
        allocated += Double(slots) * duration
        wasted += Double(unused) * duration
        reserved += Double(output.scheduled.count * setup.limits.maxModelLength) * duration
    }

    var figures: PolicyReport.Cache {
        PolicyReport.Cache(
            meanUse: seconds > 0 ? used / seconds : 0, maxUse: most, waste: allocated > 0 ? wasted / allocated : 0,
            shareOfReserving: reserved > 0 ? allocated / reserved : 0)
    }
}
