/// A table of Unicode scalars that are letters (`\p{L}`), numbers (`\p{N}`) or white space (`\s`).
struct ScalarClasses: Sendable {
    /// The class of a scalar.
    struct Kind: OptionSet, Sendable {
        let rawValue: UInt8
        static let letter = Kind(rawValue: 1)
        static let number = Kind(rawValue: 2)
        static let space = Kind(rawValue: 4)
        /// Carriage return or line feed, which are also `space`.
        static let newline = Kind(rawValue: 8)
        /// Rust's `char::is_numeric`. Such scalars are also `number`, except those of newer Unicode versions.
        static let numeric = Kind(rawValue: 16)

        /// Whether the scalar is neither a letter nor a number nor white space.
        var isSign: Bool { isDisjoint(with: [.letter, .number, .space]) }
    }

    /// The kinds of the first two planes, which contain almost all text; 128 KiB.
    private let table: [Kind]

    init() {
        table = (UInt32(0)..<0x20000).map { value in Unicode.Scalar(value).map(Self.kind) ?? [] }
    }

    private static func kind(_ scalar: Unicode.Scalar) -> Kind {
        var kind: Kind
        let isKnown = scalar.isAssigned(in: UnicodeVersion.regularExpressions)
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            kind = isKnown ? .letter : []
        case .decimalNumber, .letterNumber, .otherNumber:
            kind = isKnown ? .number : []
            if scalar.isAssigned(in: UnicodeVersion.numericScalars) { kind.insert(.numeric) }
        default: kind = []
        }
        if scalar.properties.isWhitespace { kind.insert(.space) }
        if scalar == "\r" || scalar == "\n" { kind.insert(.newline) }
        return kind
    }

    /// The kind of the scalar that starts at `index` of valid UTF-8, and its length in bytes.
    @inline(__always)
    func kind(at index: Int, of text: UnsafeBufferPointer<UInt8>) -> (kind: Kind, length: Int) {
        let first = UInt32(text[index])
        if first < 0x80 { return (table[Int(first)], 1) }
        let (value, length) = Self.scalar(first, at: index, of: text)
        if value < 0x20000 { return (table[Int(value)], length) }
        return (Unicode.Scalar(value).map(Self.kind) ?? [], length)
    }

    private static func scalar(
        _ first: UInt32, at index: Int, of text: UnsafeBufferPointer<UInt8>
    ) -> (value: UInt32, length: Int) {
        func continuation(_ offset: Int) -> UInt32 { UInt32(text[index + offset]) & 0x3F }
        if first < 0xE0 { return ((first & 0x1F) << 6 | continuation(1), 2) }
        if first < 0xF0 { return ((first & 0xF) << 12 | continuation(1) << 6 | continuation(2), 3) }
        return ((first & 7) << 18 | continuation(1) << 12 | continuation(2) << 6 | continuation(3), 4)
    }
}

/// The Unicode versions of the parts of `tokenizers` 0.23. Swift's version is newer. Scalars that are unassigned in a
/// part's version must count as unassigned here, because they would otherwise split text differently.
enum UnicodeVersion {
    /// The version of its regular expressions: `\p{L}`, `\p{N}` and `\w`.
    static let regularExpressions = 16
    /// The version of Rust's `char::is_numeric`, which splits digits.
    static let numericScalars = 17
    /// The version of its normalization forms.
    static let normalization = 9
}

extension Unicode.Scalar {
    /// Whether the scalar is assigned in this version of Unicode.
    func isAssigned(in version: Int) -> Bool {
        guard let age = properties.age else { return false }
        return age.major <= version
    }
}
