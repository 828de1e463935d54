// The standard library has the composition algorithm and its tables, and offers them only as `_Unicode`'s
// programming interface; Foundation would add tens of megabytes for the same result.
@_spi(_Unicode) import Swift

/// What happens to text before it is cut into words.
enum TextNormalizer: Sendable, Equatable {
    /// Nothing.
    case identity
    /// Unicode normalization form C (UAX #15).
    case composed

    /// `text`, which is valid UTF-8, normalized.
    func normalize(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        // No scalar below U+0300 composes or reorders, and UTF-8 writes those with lead bytes below 0xCC.
        guard self == .composed, text.contains(where: { $0 >= 0xCC }) else { return text }
        var composed: [UInt8] = []
        composed.reserveCapacity(text.count)
        // Scalars that the reference does not know stay where they are and keep marks on their two sides apart.
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
