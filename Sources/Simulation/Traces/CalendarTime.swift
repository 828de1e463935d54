/// Moments written as `2023-11-16 18:17:03.9799600`, as in Azure's traces; `T` and a final `Z` are fine too.
enum CalendarTime {
    /// Seconds since 1970, of no particular time zone; nil for anything else.
    static func seconds(_ text: String) -> Double? {
        let parts = text.split { $0 == " " || $0 == "T" }
        guard parts.count == 2 else { return nil }
        let date = parts[0].split(separator: "-").compactMap { Int($0) }
        let clock = parts[1].prefix { $0 != "Z" && $0 != "+" }.split(separator: ":")
        guard date.count == 3, clock.count == 3, (1...12).contains(date[1]), (1...31).contains(date[2]),
            (0...9999).contains(date[0]), let hour = Double(clock[0]), let minute = Double(clock[1]),
            let second = Double(clock[2])
        else { return nil }
        return Double(days(date[0], date[1], date[2])) * 86_400 + hour * 3600 + minute * 60 + second
    }

    /// Days since 1970 in the Gregorian calendar (Hinnant, chrono-compatible low-level date algorithms).
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
