/// A moment on the engine's own clock, in nanoseconds since it started. Injected, so that simulated time is the same code.
public struct EngineInstant: Hashable, Sendable, Comparable {
    /// Nanoseconds since the clock's start.
    public let nanoseconds: UInt64

    /// The moment `nanoseconds` after the clock's start.
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// Whether `left` is earlier.
    public static func < (left: EngineInstant, right: EngineInstant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Seconds from `start` to this moment; negative if it lies before.
    public func seconds(since start: EngineInstant) -> Double {
        (Double(nanoseconds) - Double(start.nanoseconds)) / 1e9
    }

    /// The moment `seconds` after this one; the last moment there is where that is beyond it.
    public func advanced(bySeconds seconds: Double) -> EngineInstant {
        let delta = max(seconds, 0) * 1e9
        guard delta < 0x1p63 else { return EngineInstant(nanoseconds: .max) }
        let (sum, overflow) = nanoseconds.addingReportingOverflow(UInt64(delta))
        return EngineInstant(nanoseconds: overflow ? .max : sum)
    }
}
