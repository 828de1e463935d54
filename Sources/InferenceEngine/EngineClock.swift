public import Requests

/// The engine's source of time. Tests bring their own, to move time by hand.
public protocol EngineClock: Sendable {
    /// The moment now; never earlier than one returned before.
    func now() -> EngineInstant
}

/// The machine's monotonic clock.
public struct MonotonicEngineClock: EngineClock {
    private let start = ContinuousClock.now

    /// A clock that starts now.
    public init() {}

    /// Nanoseconds since this clock was made.
    public func now() -> EngineInstant {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return EngineInstant(nanoseconds: UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000))
    }
}
