// The standard library has the composition algorithm and its tables, but offers them only as the SPI `_Unicode`.
// Foundation would add tens of megabytes for the same result.
@_spi(_Unicode) import Swift

/// The normalization of text before it is split into words.
enum TextNormalizer: Sendable, Equatable {
    case identity
    /// Unicode normalization form C (UAX #15).
    case composed

    /// `text`, which is valid UTF-8, normalized.
    func normalize(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        // Scalars below U+0300, whose first byte in UTF-8 is below 0xCC, neither compose nor reorder.
        guard self == .composed, text.contains(where: { $0 >= 0xCC }) else { return text }
        var composed: [UInt8] = []
        composed.reserveCapacity(text.count)
        // Scalars that are unassigned in the reference's version do not compose, and separate the text on their two
        // sides.
        var known = String.UnicodeScalarView()
        func compose() {
            for scalar in String(known)._nfc { composed.append(contentsOf: UTF8.encode(scalar) ?? .init()) }
            known = String.UnicodeScalarView()
        }
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if scalar.value < 0x300 || scalar.isAssigned(in: UnicodeVersion.normalization) {
                known.append(scalar)
            } else {
                compose()
                composed.append(contentsOf: UTF8.encode(scalar) ?? .init())
            }
        }
        compose()
        return composed[...]
    }
}
