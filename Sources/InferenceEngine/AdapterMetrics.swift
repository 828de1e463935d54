import CLibrary
import CoreMetrics
import Requests
import Scheduling

/// `vllm:lora_requests_info`: a gauge whose labels name the adapters that run and that wait, and whose value is the time at
/// which that was last so, in seconds since 1970.
struct AdapterMetrics: Sendable {
    /// The names of loaded adapters.
    var names: [AdapterID: String] = [:]
    private let maxLoras: Int
    private let factory: any MetricsFactory
    private var running: [AdapterID] = []
    private var waiting: [AdapterID] = []
    private var meter: Meter

    init(maxLoras: Int, factory: any MetricsFactory) {
        self.maxLoras = maxLoras
        self.factory = factory
        meter = Self.meter(maxLoras, "", "", factory)
        meter.set(Self.now)
    }

    mutating func publish(_ statistics: SchedulerStatistics) {
        if running != statistics.runningAdapters || waiting != statistics.waitingAdapters {
            (running, waiting) = (statistics.runningAdapters, statistics.waitingAdapters)
            // The former combination is no longer so, and clients can make any number of them.
            meter.destroy()
            meter = Self.meter(maxLoras, list(running), list(waiting), factory)
        }
        meter.set(Self.now)
    }

    private static func meter(_ maxLoras: Int, _ running: String, _ waiting: String, _ factory: any MetricsFactory)
        -> Meter
    {
        Meter(
            label: "vllm:lora_requests_info",
            dimensions: [
                ("max_lora", "\(maxLoras)"), ("running_lora_adapters", running), ("waiting_lora_adapters", waiting),
            ], factory: factory)
    }

    /// Names with commas between, as vLLM writes them.
    private func list(_ adapters: [AdapterID]) -> String {
        adapters.compactMap { names[$0] }.sorted().joined(separator: ",")
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
