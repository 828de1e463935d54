#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The calendar's clock.
enum UnixTime {
    /// Seconds since 1970.
    static var now: Int { time(nil) }
}
