extension PatternParser {
    /// What an escape stands for, inside or outside of brackets.
    enum Escaped {
        case set(ScalarSet)
        case scalar(UInt32)
    }

    /// Reads an escape that stands for scalars. The parser is at the backslash.
    mutating func escapedSet() throws(PatternError) -> Escaped {
        let start = index
        guard index + 1 < scalars.count else { throw error("a backslash at the end") }
        let letter = scalars[index + 1]
        index += 2
        switch letter {
        case "d": return .set(UnicodeProperties.digit)
        case "D": return .set(UnicodeProperties.digit.inverted)
        case "w": return .set(UnicodeProperties.word)
        case "W": return .set(UnicodeProperties.word.inverted)
        case "s": return .set(UnicodeProperties.space)
        case "S": return .set(UnicodeProperties.space.inverted)
        case "h": return .set(UnicodeProperties.hexDigit)
        case "H": return .set(UnicodeProperties.hexDigit.inverted)
        case "p", "P": return .set(try property(isInverted: letter == "P", start))
        case "t": return .scalar(0x09)
        case "n": return .scalar(0x0A)
        case "v": return .scalar(0x0B)
        case "f": return .scalar(0x0C)
        case "r": return .scalar(0x0D)
        case "a": return .scalar(0x07)
        case "e": return .scalar(0x1B)
        case "0": return .scalar(try digits(maximum: 2, radix: 8, orNone: 0, start))
        case "u": return .scalar(try digits(minimum: 4, maximum: 4, radix: 16, start))
        case "x":
            guard skip("{") else { return .scalar(try digits(maximum: 2, radix: 16, orNone: 0, start)) }
            let value = try digits(maximum: 8, radix: 16, start)
            guard skip("}") else { throw error("\\x{ without end", at: start) }
            return .scalar(value)
        default: return .scalar(letter.value)
        }
    }

    private mutating func digits(
        minimum: Int = 1, maximum: Int, radix: UInt32, orNone: UInt32? = nil, _ start: Int
    ) throws(PatternError) -> UInt32 {
        var value: UInt32 = 0
        var count = 0
        while count < maximum, let scalar = next, let digit = Character(scalar).hexDigitValue, digit < radix,
            scalar.isASCII
        {
            value = value << (radix == 8 ? 3 : 4) | UInt32(digit)
            count += 1
            index += 1
        }
        if count == 0, let orNone { return orNone }
        guard count >= minimum, value <= 0x10FFFF else { throw error("the number of a character", at: start) }
        return value
    }

    /// `{L}` or `{^L}`, after `\p`.
    private mutating func property(isInverted: Bool, _ start: Int) throws(PatternError) -> ScalarSet {
        guard skip("{") else { throw error("\\p without {", at: start) }
        let isNegated = skip("^")
        let nameStart = index
        while let scalar = next, scalar != "}" { index += 1 }
        let name = String(String.UnicodeScalarView(scalars[nameStart..<index]))
        guard skip("}") else { throw error("\\p{ without end", at: start) }
        guard let set = UnicodeProperties.set(named: name) else {
            throw error("unknown property \\p{\(name)}", at: start)
        }
        return isNegated != isInverted ? set.inverted : set
    }

    /// A class in brackets, with nested ones, POSIX brackets and intersections (`&&`).
    mutating func bracketClass() throws(PatternError) -> ScalarSet {
        let start = index
        index += 1
        let isInverted = skip("^")
        var intersected: ScalarSet?
        var parts = ScalarSet.empty
        var isFirst = true
        while true {
            guard let scalar = next else { throw error("a class without end", at: start) }
            if scalar == "]", !isFirst || !hasLaterBracket() { break }
            isFirst = false
            if skip("&&") {
                intersected = intersected?.intersection(parts) ?? parts
                parts = .empty
            } else if scalar == "[" {
                let part = if let posix = try posixBracket() { posix } else { try nestedClass() }
                parts = parts.union(part)
            } else {
                parts = parts.union(try classRange())
            }
        }
        if index == start + (isInverted ? 2 : 1) { throw error("an empty class", at: start) }
        index += 1
        var set = intersected?.intersection(parts) ?? parts
        if ignoresCase { set = set.ignoringCase }
        return isInverted ? set.inverted : set
    }

    /// Whether `]` at the beginning of a class is an ordinary character, because another one ends the class.
    private func hasLaterBracket() -> Bool { scalars[(index + 1)...].contains("]") }

    private mutating func nestedClass() throws(PatternError) -> ScalarSet {
        try nested { (parser) throws(PatternError) in try parser.bracketClass() }
    }

    /// `[:alpha:]` or `[:^alpha:]`; nil: the bracket begins an ordinary class.
    private mutating func posixBracket() throws(PatternError) -> ScalarSet? {
        let start = index
        guard skip("[:") else { return nil }
        let isNegated = skip("^")
        let nameStart = index
        while let scalar = next, scalar.properties.isAlphabetic { index += 1 }
        let name = String(String.UnicodeScalarView(scalars[nameStart..<index]))
        guard skip(":]"), let set = UnicodeProperties.posix(name) else {
            index = start
            return nil
        }
        return isNegated ? set.inverted : set
    }

    /// One scalar, one escaped set, or a range of scalars.
    private mutating func classRange() throws(PatternError) -> ScalarSet {
        let start = index
        let first: UInt32
        switch try classScalar() {
        case .set(let set): return set
        case .scalar(let value): first = value
        }
        // A hyphen before the end of the class, or before a set, is an ordinary character.
        guard next == "-", index + 1 < scalars.count, scalars[index + 1] != "]", scalars[index + 1] != "[" else {
            return ScalarSet([first...first])
        }
        let hyphen = index
        index += 1
        switch try classScalar() {
        case .set:
            index = hyphen
            return ScalarSet([first...first])
        case .scalar(let last):
            guard first <= last else { throw error("a range whose end precedes its start", at: start) }
            return ScalarSet([first...last])
        }
    }

    private mutating func classScalar() throws(PatternError) -> Escaped {
        guard let scalar = next else { throw error("a class without end") }
        if scalar == "\\" {
            if index + 1 < scalars.count, scalars[index + 1] == "b" {
                index += 2
                return .scalar(0x08)
            }
            return try escapedSet()
        }
        index += 1
        return .scalar(scalar.value)
    }
}
