import CLibrary

/// The time that a template's `strftime_now` tells.
public struct TemplateClock: Sendable {
    private let now: @Sendable () -> Int64
    private let isUTC: Bool

    /// A clock that gives microseconds since 1970, told in the process's time zone or in UTC.
    public init(isUTC: Bool = false, microsecondsSince1970 now: @escaping @Sendable () -> Int64) {
        self.isUTC = isUTC
        self.now = now
    }

    /// The time of day, in the process's time zone.
    public static let system = TemplateClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// More than any prompt says about the time.
    private static let maximumFormat = 256

    /// The time by a format of C's `strftime`, as Python's `datetime.now().strftime` gives it; `nil`: the format
    /// cannot be used.
    func formatted(_ format: [UInt8]) -> [UInt8]? {
        guard format.count <= Self.maximumFormat, !format.contains(0) else { return nil }
        let microseconds = now()
        let (floor, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        var seconds = time_t(fraction < 0 ? floor - 1 : floor)
        var fields = tm()
        guard (isUTC ? gmtime_r(&seconds, &fields) : localtime_r(&seconds, &fields)) != nil else { return nil }
        let digits = String(fraction < 0 ? fraction + 1_000_000 : fraction)
        let expanded = Self.expanded(format, String(repeating: "0", count: 6 - digits.count) + digits)
        // One more character tells an empty result from none.
        var buffer = [CChar](repeating: 0, count: 1 << 14)
        let count = strftime(&buffer, buffer.count, String(decoding: expanded, as: UTF8.self) + " ", &fields)
        guard count > 0 else { return nil }
        let bytes = buffer.prefix(count - 1).map { UInt8(bitPattern: $0) }
        return String(validating: bytes, as: UTF8.self).map { Array($0.utf8) }
    }

    /// With the fields that Python fills in itself: a time without a zone has neither its name nor its offset.
    private static func expanded(_ format: [UInt8], _ microseconds: String) -> [UInt8] {
        var result: [UInt8] = []
        var rest = format[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), let field = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch field {
            case UInt8(ascii: "f"): result += microseconds.utf8
            case UInt8(ascii: "z"), UInt8(ascii: "Z"): break
            default: result += [byte, field]
            }
        }
        return result
    }
}
