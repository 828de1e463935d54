// The standard library has the algorithms and tables of the canonical forms, but offers them only as the SPI `_Unicode`.
// Foundation would add tens of megabytes for the same result.
@_spi(_Unicode) import Swift

/// A Unicode normalization form (UAX #15), in the version that `tokenizers` has.
enum UnicodeForm: Sendable, Equatable {
    case nfc
    case nfd
    case nfkc
    case nfkd

    private var isCompatible: Bool { self == .nfkc || self == .nfkd }
    private var isComposed: Bool { self == .nfc || self == .nfkc }

    /// The starters that decompose into marks; none of them composes again. The standard library does not sort these marks
    /// among those around them.
    private static let markDecompositions: [UInt32: [Unicode.Scalar]] = [
        0x344: ["\u{308}", "\u{301}"], 0xF73: ["\u{F71}", "\u{F72}"], 0xF75: ["\u{F71}", "\u{F74}"],
        0xF81: ["\u{F71}", "\u{F80}"],
    ]

    /// Whether the form of `text`, which is valid UTF-8, may differ from it.
    func mayChange(_ text: ArraySlice<UInt8>) -> Bool {
        // Scalars below U+0300, whose first byte is below 0xCC, neither compose nor reorder. Those below U+00C0, whose
        // first byte is below 0xC3, do not decompose, and those below U+00A0 not even in compatibility forms.
        let first: UInt8 = isCompatible ? 0xC2 : isComposed ? 0xCC : 0xC3
        return text.contains { $0 >= first }
    }

    /// The form of `text`.
    func apply(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        // Scalars that are unassigned in the reference's version do not change, and separate the text on their sides.
        var known = String.UnicodeScalarView()
        func flush() {
            guard !known.isEmpty else { return }
            if isComposed {
                for scalar in String(known)._nfc { result.append(contentsOf: UTF8.encode(scalar) ?? .init()) }
            } else {
                for scalar in String(known)._nfd { result.append(contentsOf: UTF8.encode(scalar) ?? .init()) }
            }
            known = String.UnicodeScalarView()
        }
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if scalar.value < 0x300 || scalar.isAssigned(in: UnicodeVersion.normalization) {
                if isCompatible, let mapping = CompatibilityMappings.ofScalar[scalar.value] {
                    known.append(contentsOf: mapping)
                } else if let marks = Self.markDecompositions[scalar.value] {
                    known.append(contentsOf: marks)
                } else {
                    known.append(scalar)
                }
            } else {
                flush()
                result.append(contentsOf: UTF8.encode(scalar) ?? .init())
            }
        }
        flush()
        return result
    }
}
