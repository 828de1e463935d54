import CLibrary

/// The calendar's clock.
enum UnixTime {
    /// Seconds since 1970.
    static var now: Int { time(nil) }
}
