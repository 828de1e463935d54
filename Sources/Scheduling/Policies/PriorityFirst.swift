public import Requests

/// `priority`: lower numbers first, over running requests too, with ageing so that nobody starves.
///
/// Source: vLLM's priority scheduling, with linear ageing (Silberschatz, Operating System Concepts, "aging"). As
/// everybody ages equally fast, who comes before whom never changes while they wait: one rank at arrival is enough.
public struct PriorityFirst: SchedulerPolicy {
    private let ageingSeconds: Double

    /// Waiting `ageingSeconds` makes up for one step of priority.
    public init(ageingSeconds: Double) {
        precondition(ageingSeconds > 0, "ageing takes \(ageingSeconds) s")
        self.ageingSeconds = ageingSeconds
    }

    /// By priority and age.
    public mutating func place(_ request: RequestView, at now: EngineInstant) -> WaitingPlace {
        WaitingPlace(rank: rank(request))
    }

    /// The least urgent gives way.
    public mutating func victimRank(of running: RequestView, at now: EngineInstant) -> Double { rank(running) }

    /// Only a more urgent request, and only while age does not outweigh that.
    public mutating func preempts(_ waiting: RequestView, _ victim: RequestView, at now: EngineInstant) -> Bool {
        waiting.priority < victim.priority && rank(waiting) < rank(victim)
    }

    private func rank(_ request: RequestView) -> Double {
        Double(request.priority) + Double(request.arrival.nanoseconds) / 1e9 / ageingSeconds
    }
}
