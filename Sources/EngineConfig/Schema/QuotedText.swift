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
