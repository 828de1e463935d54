/// A table of Unicode scalars that are letters (`\p{L}`), numbers (`\p{N}`) or white space (`\s`).
final class ScalarClasses: Sendable {
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
        /// ASCII's punctuation and symbols, and Unicode's punctuation.
        static let punctuation = Kind(rawValue: 32)

        /// Whether the scalar is neither a letter nor a number nor white space.
        var isSign: Bool { isDisjoint(with: [.letter, .number, .space]) }
    }

    /// The kinds of the first two planes, which contain almost all text; 128 KiB.
    private let table: [Kind]

    /// Every tokenizer reads the same table.
    static let shared = ScalarClasses()

    private init() {
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
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            kind = scalar.isAssigned(in: UnicodeVersion.punctuation) ? .punctuation : []
        default: kind = []
        }
        // Punctuation in that version, but no longer.
        if scalar.value == 0x166D || scalar.value == 0x111C9 { kind.insert(.punctuation) }
        if scalar.isASCII, "$+<=>^`|~".unicodeScalars.contains(scalar) { kind.insert(.punctuation) }
        if scalar.properties.isWhitespace { kind.insert(.space) }
        if scalar == "\r" || scalar == "\n" { kind.insert(.newline) }
        return kind
    }

    /// The kind of the scalar that starts at `index` of valid UTF-8, and its length in bytes.
    @inline(__always)
    func kind(at index: Int, of text: UnsafeBufferPointer<UInt8>) -> (kind: Kind, length: Int) {
        let (value, length) = UTF8Scalar.value(at: index, of: text)
        return (kind(of: value), length)
    }

    /// The kind of a scalar.
    @inline(__always)
    func kind(of value: UInt32) -> Kind {
        value < 0x20000 ? table[Int(value)] : Unicode.Scalar(value).map(Self.kind) ?? []
    }
}

/// The Unicode versions of the parts of `tokenizers` 0.23. Swift's version is newer. Scalars that are unassigned in a
/// part's version must count as unassigned here, because they would otherwise split text differently.
enum UnicodeVersion {
    /// The version of its regular expressions: `\p{L}`, `\p{N}` and `\w`.
    static let regularExpressions = 16
    /// The version of Rust's `char::is_numeric`, which splits digits.
    static let numericScalars = 17
    /// The version in which it splits off punctuation.
    static let punctuation = 8
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
