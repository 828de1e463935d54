/// Durations as people write them, in seconds: `30`, `1.5`, `500ms`, `2m`, `1h`.
enum Seconds {
    private static let units: [(name: String, seconds: Double)] = [("s", 1), ("m", 60), ("h", 3600)]

    /// The seconds, or nil for what is no duration.
    static func parse(_ text: String) -> Double? {
        let number = text.prefix { $0.isASCII && !$0.isLetter && $0 != " " }
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        guard let value = DecimalText.parse(String(number)) else { return nil }
        if unit.isEmpty { return value }
        // Dividing rounds once; a factor of 0.001 would already be rounded itself.
        if unit == "ms" { return value / 1000 }
        return units.first { $0.name == unit }.map { value * $0.seconds }
    }
}
