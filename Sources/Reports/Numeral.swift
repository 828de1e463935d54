/// Numbers as people read them.
public enum Numeral {
    /// `value` with a fixed number of decimal places.
    public static func fixed(_ value: Double, places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let scale = (0..<places).reduce(1) { power, _ in power * 10 }
        let scaled = Int((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(scaled)" }
        let fraction = "\(scaled % scale)"
        return "\(sign)\(scaled / scale).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
    }

    /// `value` with about three digits, without zeros at the end.
    public static func short(_ value: Double) -> String {
        let size = abs(value)
        if size > 0, size < 9.99e-4 {
            let power = Logarithm.base10(size * 1.000001).rounded(.down)
            return trimmed(value / Logarithm.power10(power), places: 1) + "e\(Int(power))"
        }
        if size >= 1e6 { return trimmed(value / 1e6, places: size >= 1e7 ? 0 : 1) + "M" }
        if size >= 1e4 { return trimmed(value / 1e3, places: 0) + "k" }
        return trimmed(value, places: size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4)
    }

    private static func trimmed(_ value: Double, places: Int) -> String {
        let text = fixed(value, places: places)
        guard text.contains(".") else { return text }
        let end = text.lastIndex { $0 != "0" } ?? text.startIndex
        return String(text[end] == "." ? text[..<end] : text[...end])
    }
}
