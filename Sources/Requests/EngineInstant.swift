/// A moment on the engine's own clock. The clock is injected, so simulated time runs through the same code.
public struct EngineInstant: Hashable, Sendable, Comparable {
    /// Nanoseconds since the clock's start.
    public let nanoseconds: UInt64

    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    public static func < (left: EngineInstant, right: EngineInstant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Seconds from `start` to this moment; negative if `start` is later.
    public func seconds(since start: EngineInstant) -> Double {
        (Double(nanoseconds) - Double(start.nanoseconds)) / 1e9
    }

    /// The moment `seconds` after this one, or the last representable moment if that one is later.
    public func advanced(bySeconds seconds: Double) -> EngineInstant {
        let delta = max(seconds, 0) * 1e9
        guard delta < 0x1p63 else { return EngineInstant(nanoseconds: .max) }
        let (sum, overflow) = nanoseconds.addingReportingOverflow(UInt64(delta))
        return EngineInstant(nanoseconds: overflow ? .max : sum)
    }
}
