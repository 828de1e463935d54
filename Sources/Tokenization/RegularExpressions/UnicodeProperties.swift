/// The sets of scalars that `\p{…}`, `\w`, `[:alpha:]` and the like name, in the Unicode version of Oniguruma in
/// `tokenizers` (`UnicodeVersion.regularExpressions`).
enum UnicodeProperties {
    /// The set that `name` names; nil: it is unknown. Case, spaces, hyphens and underscores do not matter.
    static func set(named name: String) -> ScalarSet? {
        let name = String(
            String.UnicodeScalarView(name.unicodeScalars.filter { !" -_".unicodeScalars.contains($0) })
        ).lowercased()
        if let set = posix(name) { return set }
        if let categories = categories(name) { return tables.set(categories) }
        return ScriptRanges.set(named: name)
    }

    /// `\w` in brackets.
    static var word: ScalarSet { tables.word }
    /// `\w` outside of brackets, and what `\b` is between: Oniguruma adds numbers of Latin-1 that are no digits.
    static var singleWord: ScalarSet { tables.word.union(ScalarSet("²³¹¼½¾")) }
    static var space: ScalarSet { tables.space }
    static var digit: ScalarSet { tables.set([.decimalNumber]) }
    static let hexDigit = ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])
    static let newline = ScalarSet([0x0A...0x0A])

    /// The sets of POSIX brackets, which are properties as well.
    static func posix(_ name: String) -> ScalarSet? {
        switch name {
        case "alpha", "alphabetic": tables.alphabetic
        case "alnum": tables.alphabetic.union(digit)
        case "digit": digit
        case "space", "whitespace": space
        case "upper", "uppercase": tables.uppercase
        case "lower", "lowercase": tables.lowercase
        case "word": word
        case "xdigit": hexDigit
        case "blank": tables.set([.spaceSeparator]).union(ScalarSet("\t"))
        case "cntrl": tables.set([.control])
        case "punct": tables.set(punctuation.union([.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol]))
        case "graph": space.union(tables.set([.control, .unassigned, .surrogate])).inverted
        case "print":
            tables.set([.control, .unassigned, .surrogate, .lineSeparator, .paragraphSeparator]).inverted
        case "ascii": ScalarSet([0...0x7F])
        case "any": .all
        case "assigned": tables.set([.unassigned]).inverted
        default: nil
        }
    }

    private static let punctuation: Set<Unicode.GeneralCategory> = [
        .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
        .finalPunctuation, .otherPunctuation,
    ]

    private static func categories(_ name: String) -> Set<Unicode.GeneralCategory>? {
        switch name {
        case "l", "letter":
            [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter]
        case "lu", "uppercaseletter": [.uppercaseLetter]
        case "ll", "lowercaseletter": [.lowercaseLetter]
        case "lt", "titlecaseletter": [.titlecaseLetter]
        case "lc", "casedletter": [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter]
        case "lm", "modifierletter": [.modifierLetter]
        case "lo", "otherletter": [.otherLetter]
        case "m", "mark", "combiningmark": [.nonspacingMark, .spacingMark, .enclosingMark]
        case "mn", "nonspacingmark": [.nonspacingMark]
        case "mc", "spacingmark": [.spacingMark]
        case "me", "enclosingmark": [.enclosingMark]
        case "n", "number": [.decimalNumber, .letterNumber, .otherNumber]
        case "nd", "decimalnumber": [.decimalNumber]
        case "nl", "letternumber": [.letterNumber]
        case "no", "othernumber": [.otherNumber]
        case "p", "punctuation": punctuation
        case "pc", "connectorpunctuation": [.connectorPunctuation]
        case "pd", "dashpunctuation": [.dashPunctuation]
        case "ps", "openpunctuation": [.openPunctuation]
        case "pe", "closepunctuation": [.closePunctuation]
        case "pi", "initialpunctuation": [.initialPunctuation]
        case "pf", "finalpunctuation": [.finalPunctuation]
        case "po", "otherpunctuation": [.otherPunctuation]
        case "s", "symbol": [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol]
        case "sm", "mathsymbol": [.mathSymbol]
        case "sc", "currencysymbol": [.currencySymbol]
        case "sk", "modifiersymbol": [.modifierSymbol]
        case "so", "othersymbol": [.otherSymbol]
        case "z", "separator": [.spaceSeparator, .lineSeparator, .paragraphSeparator]
        case "zs", "spaceseparator": [.spaceSeparator]
        case "zl", "lineseparator": [.lineSeparator]
        case "zp", "paragraphseparator": [.paragraphSeparator]
        case "c", "other": [.control, .format, .surrogate, .privateUse, .unassigned]
        case "cc", "control": [.control]
        case "cf", "format": [.format]
        case "co", "privateuse": [.privateUse]
        case "cs", "surrogate": [.surrogate]
        case "cn", "unassigned": [.unassigned]
        default: nil
        }
    }

    /// Made at the first use: one pass over all scalars takes some milliseconds.
    private static let tables = UnicodeTables()
}

/// The ranges of each general category and of some properties.
private struct UnicodeTables: Sendable {
    private var ranges: [Unicode.GeneralCategory: [ClosedRange<UInt32>]] = [:]
    private(set) var alphabetic = ScalarSet.empty
    private(set) var uppercase = ScalarSet.empty
    private(set) var lowercase = ScalarSet.empty
    private(set) var space = ScalarSet.empty
    private(set) var word = ScalarSet.empty

    init() {
        var properties: [[ClosedRange<UInt32>]] = [[], [], [], []]
        func extend(_ ranges: inout [ClosedRange<UInt32>], _ value: UInt32) {
            if let last = ranges.last, last.upperBound + 1 == value {
                ranges[ranges.count - 1] = last.lowerBound...value
            } else {
                ranges.append(value...value)
            }
        }
        // Outside of these two stretches there are only unassigned scalars and two planes for private use.
        for value in [UInt32(0)..<0x40000, 0xE0000..<0xE1000].joined() {
            guard let scalar = Unicode.Scalar(value) else {
                extend(&ranges[.surrogate, default: []], value)
                continue
            }
            let known = scalar.isAssigned(in: UnicodeVersion.regularExpressions)
            let category = known ? scalar.properties.generalCategory : .unassigned
            extend(&ranges[category, default: []], value)
            guard known, category != .privateUse else { continue }
            if scalar.properties.isAlphabetic { extend(&properties[0], value) }
            if scalar.properties.isUppercase { extend(&properties[1], value) }
            if scalar.properties.isLowercase { extend(&properties[2], value) }
            if scalar.properties.isWhitespace { extend(&properties[3], value) }
        }
        ranges[.unassigned, default: []] += [
            0x40000...0xDFFFF, 0xE1000...0xEFFFF, 0xFFFFE...0xFFFFF, 0x10FFFE...0x10FFFF,
        ]
        ranges[.privateUse, default: []] += [0xF0000...0xFFFFD, 0x100000...0x10FFFD]
        alphabetic = ScalarSet(properties[0])
        uppercase = ScalarSet(properties[1])
        lowercase = ScalarSet(properties[2])
        space = ScalarSet(properties[3])
        word = alphabetic.union(
            set([.nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation]))
    }

    func set(_ categories: Set<Unicode.GeneralCategory>) -> ScalarSet {
        ScalarSet(categories.flatMap { ranges[$0] ?? [] })
    }
}
