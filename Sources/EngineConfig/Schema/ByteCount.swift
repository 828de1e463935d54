/// Sizes in bytes as people write them: `4GiB`, `1.5 MiB`, `4096`.
public enum ByteCount {
    private static let units: [(name: String, byteCount: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
    ]

    /// The bytes, or nil for what is no size or is not a whole number of bytes that an `Int` can hold.
    public static func parse(_ text: String) -> Int? {
        guard let (number, unit) = split(text) else { return nil }
        if unit.isEmpty { return Int(number) }
        guard let factor = units.first(where: { $0.name == unit })?.byteCount else { return nil }
        if let whole = Int(number) {
            let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
            return overflow ? nil : product
        }
        return DecimalText.parse(number).flatMap { Int(exactly: $0 * Double(factor)) }
    }

    /// `4GiB` for `4GB`, `4gib` or `4g`: a size with a unit that is nearly one of ours.
    static func suggestion(for text: String) -> String? {
        guard let (number, unit) = split(text), let letter = unit.uppercased().first else { return nil }
        let near = units.first { $0.name.first == letter && unit.count <= $0.name.count }?.name
        return near.map { number + $0 }.flatMap { parse($0) == nil ? nil : $0 }
    }

    /// The shortest exact spelling: `8MiB`, or plain bytes, which need no unit.
    static func text(_ byteCount: Int) -> String {
        guard byteCount > 0, let unit = units.first(where: { byteCount % $0.byteCount == 0 }), unit.byteCount > 1
        else { return String(byteCount) }
        return "\(byteCount / unit.byteCount)\(unit.name)"
    }

    private static func split(_ text: String) -> (number: String, unit: String)? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard !number.isEmpty else { return nil }
        return (String(number), String(text.dropFirst(number.count).drop { $0 == " " }))
    }
}
