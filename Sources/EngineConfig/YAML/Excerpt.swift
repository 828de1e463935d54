/// Shows a stranger's text inside a one-line message: bounded, and without line breaks or control characters.
enum Excerpt {
    static let maximumCharacterCount = 60

    /// The text as it is, or quoted when it is empty or would be hard to see.
    static func bare(_ text: String) -> String {
        text.isEmpty || text.first == " " || text.last == " " ? quoted(text) : escaped(text)
    }

    /// The text in double quotes.
    static func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            if count == maximumCharacterCount { return result + "…" }
            let isVisible = scalar.isASCII ? (0x20..<0x7F).contains(scalar.value) : isPrintable(scalar)
            result += isVisible ? String(scalar) : scalar.escaped(asASCII: true)
        }
        return result
    }

    /// Whether a scalar is a visible character and not a control, a line break or a byte order mark.
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
    }
}
