/// Numbers as people read them.
enum Decimal {
    /// `value` with a fixed number of decimal places.
    static func text(_ value: Double, places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let scale = (0..<places).reduce(1) { power, _ in power * 10 }
        let scaled = Int((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(scaled)" }
        let fraction = "\(scaled % scale)"
        return "\(sign)\(scaled / scale).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
    }

    /// `value` with about three digits that count.
    static func short(_ value: Double) -> String {
        let size = abs(value)
        if size >= 1e6 { return text(value / 1e6, places: size >= 1e7 ? 0 : 1) + "M" }
        if size >= 1e4 { return text(value / 1e3, places: 0) + "k" }
        return text(value, places: size >= 100 ? 0 : size >= 10 || size == 0 ? 1 : size >= 0.1 ? 2 : 4)
    }
}
