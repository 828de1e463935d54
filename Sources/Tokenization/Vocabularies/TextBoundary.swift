/// The scalars on the two sides of a place in valid UTF-8.
enum TextBoundary {
    /// The scalar that starts at `index`; `nil`: the text ends there.
    static func scalar(at index: Int, in text: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard index < text.endIndex else { return nil }
        var end = index + 1
        while end < text.endIndex, text[end] & 0xC0 == 0x80 { end += 1 }
        return String(decoding: text[index..<end], as: UTF8.self).unicodeScalars.first
    }

    /// The scalar that ends at `index`; `nil`: the text starts there.
    static func scalar(before index: Int, in text: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard index > text.startIndex else { return nil }
        var start = index - 1
        while start > text.startIndex, text[start] & 0xC0 == 0x80 { start -= 1 }
        return String(decoding: text[start..<index], as: UTF8.self).unicodeScalars.first
    }

    /// Whether a regular expression's `\w` matches `scalar` (UTS #18, annex C).
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isAssigned(in: UnicodeVersion.regularExpressions) else { return false }
        if scalar.properties.isAlphabetic || scalar.properties.isJoinControl { return true }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return false
        }
    }
}
