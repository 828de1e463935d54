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

/// Finite decimal numbers: no hexadecimal, `nan` or `inf`, which Swift's own parser would take.
enum DecimalText {
    /// The number, or nil.
    static func parse(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ allowed.contains($0) }) else { return nil }
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
    }

    /// The shortest text that `parse` reads back to the same number; whole numbers without a fraction.
    static func text(_ number: Double) -> String {
        abs(number) < 1e15 ? Int(exactly: number).map { String($0) } ?? String(number) : String(number)
    }

    private static let allowed = Set("0123456789+-.eE".utf8)
}

/// Writes a text as a YAML scalar that reads back to the same text.
enum QuotedText {
    /// Plain where that is surely safe, else in double quotes.
    static func text(_ text: String) -> String {
        let isPlain =
            text.utf8.allSatisfy { PlainName.allows($0) || $0 == UInt8(ascii: "/") }
            && text.utf8.first.map { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") } == true
            && text.lowercased() != "null"
        return isPlain ? text : "\"\(text.unicodeScalars.map(escape).joined())\""
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        default:
            if Excerpt.isPrintable(scalar) { return String(scalar) }
            let digits = String(scalar.value, radix: 16)
            return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
    }
}

/// The characters of names that need no quotes anywhere.
enum PlainName {
    /// Whether a byte is a letter, a digit, `-`, `_` or `.`.
    static func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}
