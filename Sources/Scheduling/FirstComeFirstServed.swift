public import Requests

/// `fcfs`: in order of arrival; the latest arrival gives way.
public struct FirstComeFirstServed: SchedulerPolicy {
    /// The policy has no parameters.
    public init() {}

    /// Earlier arrivals first; of two at the same moment, the one submitted first.
    public func order(_ waiting: inout [RequestView], at now: EngineInstant) {
        waiting.sort { ($0.arrival, $0.id) < ($1.arrival, $1.id) }
    }

    /// The latest arrival.
    public func victim(among running: [RequestView], at now: EngineInstant) -> RequestID? {
        running.max { ($0.arrival, $0.id) < ($1.arrival, $1.id) }?.id
    }
}
