/// Parses the regular expressions of Oniguruma's default syntax, which is Ruby's, into trees.
///
/// Not supported, and refused with the position: back references, calls of groups, conditions, `\G`, `\K`, `\X`, `\R`,
/// look-behind over more than one scalar, and atomic groups and possessive repetitions of more than sets of scalars.
/// Repetitions with a minimum of what may be empty, such as `(?:a*){2,}`, can end earlier or later than in Oniguruma.
struct PatternParser {
    let scalars: [Unicode.Scalar]
    var index = 0
    var ignoresCase = false
    private var dotMatchesNewline = false
    private var skipsSpaces = false
    private var depth = 0

    /// Groups and classes may contain one another to this depth.
    private static let maximumDepth = 100
    private static let maximumRepetition = 1_000

    private init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

    /// The tree of `pattern`.
    static func parse(_ pattern: String) throws(PatternError) -> PatternNode {
        var parser = PatternParser(pattern)
        let node = try parser.choice()
        if parser.index < parser.scalars.count { throw parser.error("\")\" without \"(\"") }
        return node
    }

    func error(_ reason: String, at position: Int? = nil) -> PatternError {
        PatternError(position: position ?? index, reason: reason)
    }

    var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    /// Whether the rest of the pattern begins with `text`.
    func follows(_ text: String) -> Bool { scalars[index...].starts(with: text.unicodeScalars) }

    /// Skips `text` if it follows.
    mutating func skip(_ text: String) -> Bool {
        guard follows(text) else { return false }
        index += text.unicodeScalars.count
        return true
    }

    mutating func nested<Result>(
        _ parse: (inout PatternParser) throws(PatternError) -> Result
    ) throws(PatternError) -> Result {
        guard depth < Self.maximumDepth else { throw error("groups are nested too deeply") }
        depth += 1
        let result = try parse(&self)
        depth -= 1
        return result
    }

    /// Alternatives up to `)` or the end.
    private mutating func choice() throws(PatternError) -> PatternNode {
        var alternatives: [PatternNode] = []
        var parts: [PatternNode] = []
        while let scalar = next, scalar != ")" {
            if scalar == "|" {
                index += 1
                alternatives.append(.sequence(parts))
                parts = []
            } else if let part = try repeated() {
                parts.append(part)
            }
        }
        alternatives.append(parts.count == 1 ? parts[0] : .sequence(parts))
        return alternatives.count == 1 ? alternatives[0] : .choice(alternatives)
    }

    /// An atom with the quantifiers after it; nil: a comment or white space that is skipped.
    private mutating func repeated() throws(PatternError) -> PatternNode? {
        let start = index
        guard var node = try atom() else { return nil }
        while let scalar = next {
            let quantifierStart = index
            let bounds: (minimum: Int, maximum: Int?)
            var isInterval = false
            switch scalar {
            case "?": bounds = (0, 1)
            case "*": bounds = (0, nil)
            case "+": bounds = (1, nil)
            case "{":
                guard let interval = try interval() else { return node }
                bounds = interval
                isInterval = true
            default: return node
            }
            if !isInterval { index += 1 }
            if isInterval, bounds.minimum == bounds.maximum, next == "?" {
                // `a{2}?` is `(?:a{2})?`: the next round reads the question mark.
                node = .repetition(node, minimum: bounds.minimum, maximum: bounds.maximum, isLazy: false)
            } else if skip("?") {
                node = .repetition(node, minimum: bounds.minimum, maximum: bounds.maximum, isLazy: true)
            } else if !isInterval, skip("+") {
                let greedy = PatternNode.repetition(
                    node, minimum: bounds.minimum, maximum: bounds.maximum, isLazy: false)
                node = try atomic(greedy, at: quantifierStart)
            } else {
                if case .lookahead = node { throw error("a repeated look-ahead", at: start) }
                node = .repetition(node, minimum: bounds.minimum, maximum: bounds.maximum, isLazy: false)
            }
        }
        return node
    }

    /// `{2}`, `{2,}`, `{,3}` or `{2,3}`; nil: the brace is an ordinary character.
    private mutating func interval() throws(PatternError) -> (minimum: Int, maximum: Int?)? {
        let start = index
        index += 1
        let minimum = number()
        var maximum = minimum
        if skip(",") { maximum = number() } else if minimum == nil { maximum = -1 }
        guard skip("}"), maximum != -1, minimum != nil || maximum != nil else {
            index = start
            return nil
        }
        if let maximum, maximum < minimum ?? 0 { throw error("the maximum is less than the minimum", at: start) }
        guard max(minimum ?? 0, maximum ?? 0) <= Self.maximumRepetition else {
            throw error("more than \(Self.maximumRepetition) repetitions", at: start)
        }
        return (minimum ?? 0, maximum)
    }

    private mutating func number() -> Int? {
        let start = index
        var value = 0
        while let digit = next, ("0"..."9").contains(digit) {
            value = min(value * 10 + Int(digit.value - 48), 1_000_000)
            index += 1
        }
        return index > start ? value : nil
    }

    /// The node without backtracking into it: possible where what it takes cannot be given back otherwise.
    private func atomic(_ node: PatternNode, at position: Int) throws(PatternError) -> PatternNode {
        switch node {
        case .scalar: return node
        case .repetition(.scalar(let set), let minimum, nil, isLazy: false):
            // All scalars of the set are taken: the next one is not in the set.
            return .sequence([
                .repetition(.scalar(set), minimum: minimum, maximum: nil, isLazy: false),
                .lookahead(.scalar(set), isNegative: true),
            ])
        case .repetition(.scalar(let set), minimum: 0, maximum: 1, isLazy: false):
            return .choice([.scalar(set), .lookahead(.scalar(set), isNegative: true)])
        case .sequence(let parts) where parts.allSatisfy({ if case .scalar = $0 { true } else { false } }):
            return node
        default:
            throw error(
                "an atomic group or a possessive repetition of anything but a set of characters", at: position)
        }
    }

    private mutating func atom() throws(PatternError) -> PatternNode? {
        guard let scalar = next else { return nil }
        if skipsSpaces {
            if scalar.properties.isWhitespace {
                index += 1
                return nil
            }
            if scalar == "#" {
                while let scalar = next, scalar != "\n" { index += 1 }
                return nil
            }
        }
        switch scalar {
        case "(": return try nested { (parser) throws(PatternError) in try parser.group() }
        case "[": return .scalar(try nested { (parser) throws(PatternError) in try parser.bracketClass() })
        case ".":
            index += 1
            return .scalar(dotMatchesNewline ? .all : UnicodeProperties.newline.inverted)
        case "^":
            index += 1
            return .lineStart
        case "$":
            index += 1
            return .lineEnd
        case "?", "*", "+": throw error("nothing to repeat")
        case "\\": return try escape()
        default:
            index += 1
            return literalSet(ScalarSet([scalar.value...scalar.value]))
        }
    }

    private func literalSet(_ set: ScalarSet) -> PatternNode {
        .scalar(ignoresCase ? set.ignoringCase : set)
    }

    /// An escape outside of brackets.
    private mutating func escape() throws(PatternError) -> PatternNode {
        let start = index
        guard index + 1 < scalars.count else { throw error("a backslash at the end") }
        let node: PatternNode
        switch scalars[index + 1] {
        case "A": node = .textStart
        case "z": node = .textEnd
        case "Z": node = .lastLineEnd
        case "b": node = .wordBoundary(isNegative: false)
        case "B": node = .wordBoundary(isNegative: true)
        case "w": node = literalSet(UnicodeProperties.singleWord)
        case "W": node = literalSet(UnicodeProperties.singleWord.inverted)
        case "N": node = .scalar(UnicodeProperties.newline.inverted)
        case "O": node = .scalar(.all)
        case "G", "K", "X", "R", "y", "Y", "g", "k", "1"..."9":
            throw error("\\\(scalars[index + 1]) is not supported", at: start)
        default:
            switch try escapedSet() {
            case .set(let set): return literalSet(set)
            case .scalar(let value): return literalSet(ScalarSet([value...value]))
            }
        }
        index += 2
        return node
    }

    private mutating func group() throws(PatternError) -> PatternNode? {
        let start = index
        let options = (ignoresCase, dotMatchesNewline, skipsSpaces)
        index += 1
        var kind = "("
        if skip("?#") {
            while let scalar = next, scalar != ")" { index += 1 }
            guard skip(")") else { throw error("a group without end", at: start) }
            return nil
        }
        if next == "?" {
            if let prefix = ["?:", "?=", "?!", "?>", "?<=", "?<!"].first(where: follows) {
                _ = skip(prefix)
                kind = prefix
            } else if follows("?<") || follows("?'") {
                // A named group; its name has no effect without references.
                let end: Unicode.Scalar = follows("?<") ? ">" : "'"
                index += 2
                while let scalar = next, scalar != end { index += 1 }
                guard skip(String(end)) else { throw error("a group without end", at: start) }
            } else {
                index += 1
                try readOptions(start)
                if next == ")" {
                    // The options hold to the end of the enclosing group, alternatives included.
                    index += 1
                    let rest = try choice()
                    (ignoresCase, dotMatchesNewline, skipsSpaces) = options
                    return rest
                }
                index += 1
            }
        }
        let inner = try choice()
        (ignoresCase, dotMatchesNewline, skipsSpaces) = options
        guard skip(")") else { throw error("a group without end", at: start) }
        switch kind {
        case "?=": return .lookahead(inner, isNegative: false)
        case "?!": return .lookahead(inner, isNegative: true)
        case "?>": return try atomic(inner, at: start)
        case "?<=", "?<!":
            guard case .scalar(let set) = inner else {
                throw error("look-behind over anything but one character", at: start)
            }
            return kind == "?<=" ? .previous(set, atStart: false) : .previous(set.inverted, atStart: true)
        default: return inner
        }
    }

    /// The letters of `(?imx-imx`, up to `:` or `)`.
    private mutating func readOptions(_ start: Int) throws(PatternError) {
        var value = true
        while let scalar = next, scalar != ":", scalar != ")" {
            switch scalar {
            case "-": value = false
            case "i": ignoresCase = value
            case "m": dotMatchesNewline = value
            case "x": skipsSpaces = value
            default: throw error("an unknown kind of group", at: start)
            }
            index += 1
        }
        if next == nil { throw error("a group without end", at: start) }
    }
}
