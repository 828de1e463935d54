/// Which Unicode scalars are letters (`\p{L}`), numbers (`\p{N}`) and white space (`\s`), by table.
struct ScalarClasses: Sendable {
    /// What a scalar is, for the pre-tokenizers.
    struct Kind: OptionSet, Sendable {
        let rawValue: UInt8
        static let letter = Kind(rawValue: 1)
        static let number = Kind(rawValue: 2)
        static let space = Kind(rawValue: 4)
        /// Carriage return or line feed; `space` too.
        static let newline = Kind(rawValue: 8)
        /// What Rust's `char::is_numeric` holds for; `number` too, but for scalars of a newer Unicode.
        static let numeric = Kind(rawValue: 16)

        /// Neither letter nor number nor white space.
        var isSign: Bool { isDisjoint(with: [.letter, .number, .space]) }
    }

    /// The kinds of the first two planes, 128 KiB; nearly all text is there.
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
