/// Splits a template into tokens, with `trim_blocks` and `lstrip_blocks`, as Hugging Face's libraries do.
///
/// Reference: the lexer rules of Jinja 3.1, <https://jinja.palletsprojects.com/en/stable/templates/>.
struct TemplateLexer {
    var source: [UInt8]
    var index = 0
    var line = 1
    /// Whether the last token ended a line, so that the next spaces are at the start of one.
    var isAtLineStart = true
    var tokens: [TemplateToken] = []

    private init(_ source: String) { self.source = Self.normalized(Array(source.utf8)) }

    /// The tokens of `source`; the last one is `.end`.
    static func tokens(of source: String) throws(TemplateError) -> [TemplateToken] {
        var lexer = TemplateLexer(source)
        while try lexer.readRoot() {}
        lexer.tokens.append(TemplateToken(kind: .end, line: lexer.line))
        return lexer.tokens
    }

    /// `source` with `\n` for every line end, without a line end at the end of the template.
    private static func normalized(_ source: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(source.count)
        for (index, byte) in source.enumerated() {
            if byte == UInt8(ascii: "\r") {
                result.append(UInt8(ascii: "\n"))
            } else if byte != UInt8(ascii: "\n") || index == 0 || source[index - 1] != UInt8(ascii: "\r") {
                result.append(byte)
            }
        }
        if result.last == UInt8(ascii: "\n") { result.removeLast() }
        return result
    }

    func syntax(_ reason: String) -> TemplateError { .syntax(line: line, reason: reason) }

    func starts(with text: StaticString, at position: Int) -> Bool {
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        return position <= source.count && source[position...].starts(with: expected)
    }

    func byte(at position: Int) -> UInt8? { position < source.count ? source[position] : nil }

    /// Advances to `end` and counts lines.
    mutating func advance(to end: Int) {
        for byte in source[index..<end] where byte == UInt8(ascii: "\n") { line += 1 }
        if end > index { isAtLineStart = source[end - 1] == UInt8(ascii: "\n") }
        index = end
    }

    mutating func emit(_ kind: TemplateToken.Kind) { tokens.append(TemplateToken(kind: kind, line: line)) }

    /// The end of the white space that begins at `position`.
    func endOfSpace(_ position: Int) -> Int {
        var position = position
        while let length = spaceLength(at: position) { position += length }
        return position
    }

    private func spaceLength(at position: Int) -> Int? {
        guard let byte = byte(at: position) else { return nil }
        if byte < 0x80 { return Unicode.Scalar(byte).isPythonSpace ? 1 : nil }
        var end = position + 1
        while let next = self.byte(at: end), next & 0xC0 == 0x80 { end += 1 }
        let scalar = String(decoding: source[position..<end], as: UTF8.self).unicodeScalars.first
        return scalar?.isPythonSpace == true ? end - position : nil
    }

    /// The end of a tag whose closing `end` is at `position`, including the white space that it strips; `nil`: `end`
    /// is not at `position`.
    func endOfTag(_ end: StaticString, at position: Int, isVariable: Bool = false) -> Int? {
        let length = end.utf8CodeUnitCount
        if byte(at: position) == UInt8(ascii: "-"), starts(with: end, at: position + 1) {
            return endOfSpace(position + 1 + length)
        }
        if !isVariable, byte(at: position) == UInt8(ascii: "+"), starts(with: end, at: position + 1) {
            return position + 1 + length
        }
        guard starts(with: end, at: position) else { return nil }
        let after = position + length
        return !isVariable && byte(at: after) == UInt8(ascii: "\n") ? after + 1 : after
    }
}

/// Text between tags, `raw` blocks and comments.
extension TemplateLexer {
    /// Reads text up to and including the next tag; `false`: the template ends.
    mutating func readRoot() throws(TemplateError) -> Bool {
        guard index < source.count else { return false }
        guard let tag = nextTag(from: index) else {
            emit(.data(Text(source[index...])))
            advance(to: source.count)
            return true
        }
        let kind = source[tag + 1]
        let sign = byte(at: tag + 2)
        emitData(upTo: tag, sign: sign, isVariable: kind == UInt8(ascii: "{"))
        let isSigned = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
        if kind == UInt8(ascii: "%"), let end = endOfRawBegin(tag) {
            advance(to: end)
            try readRaw()
            return true
        }
        if kind != UInt8(ascii: "#") { emit(kind == UInt8(ascii: "{") ? .variableBegin : .blockBegin) }
        advance(to: tag + (isSigned ? 3 : 2))
        if kind == UInt8(ascii: "#") {
            try readComment()
        } else {
            try readExpression(isVariable: kind == UInt8(ascii: "{"))
        }
        return true
    }

    private func nextTag(from start: Int) -> Int? {
        var position = start
        while let brace = source[position...].firstIndex(of: UInt8(ascii: "{")), brace + 1 < source.count {
            if "{%#".utf8.contains(source[brace + 1]) { return brace }
            position = brace + 1
        }
        return nil
    }

    /// Emits the text before a tag, without the white space that the tag strips.
    private mutating func emitData(upTo tag: Int, sign: UInt8?, isVariable: Bool) {
        var data = source[index..<tag]
        if sign == UInt8(ascii: "-") {
            data = Text(data).stripped(nil, leading: false, trailing: true).bytes[...]
        } else if sign != UInt8(ascii: "+"), !isVariable {
            let newline = data.lastIndex(of: UInt8(ascii: "\n"))
            let lineStart = newline.map { $0 + 1 } ?? index
            if newline != nil || isAtLineStart, endOfSpace(lineStart) >= tag { data = source[index..<lineStart] }
        }
        if !data.isEmpty { emit(.data(Text(Array(data)))) }
        advance(to: tag)
    }

    /// The end of `{% raw %}` at `tag`; `nil`: it is another tag.
    private func endOfRawBegin(_ tag: Int) -> Int? {
        var position = tag + 2
        if let sign = byte(at: position), sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { position += 1 }
        position = endOfSpace(position)
        guard starts(with: "raw", at: position) else { return nil }
        position = endOfSpace(position + 3)
        if starts(with: "-%}", at: position) { return endOfSpace(position + 3) }
        return starts(with: "%}", at: position) ? position + 2 : nil
    }

    private mutating func readRaw() throws(TemplateError) {
        // To Jinja, a `raw` tag at the end of the template is an empty block.
        if index == source.count { return }
        var position = index
        while let brace = source[position...].firstIndex(of: UInt8(ascii: "{")) {
            position = brace + 1
            guard byte(at: brace + 1) == UInt8(ascii: "%") else { continue }
            let sign = byte(at: brace + 2)
            var end = brace + 2
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { end += 1 }
            end = endOfSpace(end)
            guard starts(with: "endraw", at: end) else { continue }
            guard let after = endOfTag("%}", at: endOfSpace(end + 6)) else { continue }
            emitData(upTo: brace, sign: sign, isVariable: false)
            advance(to: after)
            return
        }
        throw syntax("'raw' does not end")
    }

    private mutating func readComment() throws(TemplateError) {
        // The same holds for a comment at the end of the template.
        if index == source.count { return }
        var position = index
        while position < source.count {
            guard let hash = source[position...].firstIndex(of: UInt8(ascii: "#")) else { break }
            position = hash + 1
            guard byte(at: hash + 1) == UInt8(ascii: "}") else { continue }
            let signed =
                hash > index && (source[hash - 1] == UInt8(ascii: "-") || source[hash - 1] == UInt8(ascii: "+"))
            guard let end = endOfTag("#}", at: signed ? hash - 1 : hash) else { continue }
            advance(to: end)
            return
        }
        throw syntax("a comment does not end")
    }
}

/// Tokens inside of tags.
extension TemplateLexer {
    /// Reads the tokens of a tag up to and including its end.
    mutating func readExpression(isVariable: Bool) throws(TemplateError) {
        var open: [Symbol] = []
        while true {
            if open.isEmpty, let end = endOfTag(isVariable ? "}}" : "%}", at: index, isVariable: isVariable) {
                emit(isVariable ? .variableEnd : .blockEnd)
                advance(to: end)
                return
            }
            guard let first = byte(at: index) else { return }
            let space = endOfSpace(index)
            if space > index {
                advance(to: space)
            } else if (0x30...0x39).contains(first) {
                try readNumber()
            } else if first == UInt8(ascii: "'") || first == UInt8(ascii: "\"") {
                try readString(quote: first)
            } else if first == UInt8(ascii: "_") || first >= 0x80 || Unicode.Scalar(first).properties.isAlphabetic {
                try readName()
            } else if let symbol = Symbol.prefix(of: source[index...]) {
                if let closing = symbol.closing { open.append(closing) }
                if symbol.isClosing {
                    let expected = open.popLast()
                    guard symbol == expected else {
                        let hint = expected.map { ", expected '\($0.rawValue)'" } ?? ""
                        throw syntax("unexpected '\(symbol.rawValue)'\(hint)")
                    }
                }
                emit(.symbol(symbol))
                advance(to: index + symbol.rawValue.utf8.count)
            } else {
                throw syntax("unexpected character '\(Unicode.Scalar(first))'")
            }
        }
    }

    private mutating func readName() throws(TemplateError) {
        var end = index
        while let byte = byte(at: end),
            byte == UInt8(ascii: "_") || byte >= 0x80 || Unicode.Scalar(byte).properties.isXIDContinue
        {
            if byte >= 0x80, endOfSpace(end) > end { break }
            end += 1
        }
        let name = String(decoding: source[index..<end], as: UTF8.self)
        let scalars = name.unicodeScalars
        guard scalars.allSatisfy({ $0.properties.isXIDContinue }),
            let first = scalars.first, first == "_" || first.properties.isXIDStart
        else { throw syntax("'\(name)' is no name") }
        emit(.name(name))
        advance(to: end)
    }

    /// The end of a run of digits with single underscores between them.
    private func endOfDigits(_ start: Int, _ isDigit: (UInt8) -> Bool) -> Int {
        var end = start
        while let byte = byte(at: end) {
            if isDigit(byte) {
                end += 1
            } else if byte == UInt8(ascii: "_"), end > start, let next = self.byte(at: end + 1), isDigit(next) {
                end += 2
            } else {
                break
            }
        }
        return end
    }

    private mutating func readNumber() throws(TemplateError) {
        func isDecimal(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        let whole = endOfDigits(index, isDecimal)
        if let end = endOfFloat(whole, isDecimal) {
            let spelling = String(decoding: source[index..<end].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
            guard let value = Double(spelling) else { throw syntax("'\(spelling)' is no number") }
            emit(.float(value))
            return advance(to: end)
        }
        var (end, start, radix) = (whole, index, 10)
        if source[index] == UInt8(ascii: "0") {
            // A decimal integer may consist of several zeros, but no other digit may follow a leading zero.
            end = endOfDigits(index) { $0 == UInt8(ascii: "0") }
            let radixes: [UInt8: Int] = [0x62: 2, 0x6F: 8, 0x78: 16]
            if let letter = byte(at: index + 1), let found = radixes[letter | 0x20] {
                let first = byte(at: index + 2) == UInt8(ascii: "_") ? index + 3 : index + 2
                let digits = endOfDigits(first) { Character(Unicode.Scalar($0)).hexDigitValue ?? 99 < found }
                if digits > first { (end, start, radix) = (digits, first, found) }
            }
        }
        let spelling = String(decoding: source[start..<end].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
        if let value = Int(spelling, radix: radix) {
            emit(.integer(value))
        } else if spelling.utf8.count <= 4300, let value = BigInteger(spelling, radix: radix) {
            emit(.bigInteger(value))
        } else {
            throw syntax("a number has more than 4300 digits")
        }
        advance(to: end)
    }

    private func endOfFloat(_ whole: Int, _ isDecimal: (UInt8) -> Bool) -> Int? {
        if index > 0, source[index - 1] == UInt8(ascii: ".") { return nil }
        var end = whole
        if byte(at: end) == UInt8(ascii: ".") {
            let fraction = endOfDigits(end + 1, isDecimal)
            if fraction > end + 1 { end = fraction }
        }
        if let letter = byte(at: end), letter | 0x20 == UInt8(ascii: "e") {
            let sign = byte(at: end + 1)
            let first = sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") ? end + 2 : end + 1
            let exponent = endOfDigits(first, isDecimal)
            if exponent > first { end = exponent }
        }
        return end > whole ? end : nil
    }

    private mutating func readString(quote: UInt8) throws(TemplateError) {
        var end = index + 1
        while let byte = byte(at: end), byte != quote { end += byte == UInt8(ascii: "\\") ? 2 : 1 }
        guard end < source.count else { throw syntax("a string does not end") }
        var literal = StringLiteral(source[(index + 1)..<end])
        guard let text = literal.unescaped() else { throw syntax("a string has an escape that cannot be read") }
        emit(.string(text))
        advance(to: end + 1)
    }
}

/// Decodes the escapes in a string literal, by Python's rules.
struct StringLiteral {
    private let source: ArraySlice<UInt8>
    private var index: Int
    private var bytes: [UInt8] = []

    init(_ source: ArraySlice<UInt8>) {
        self.source = source
        index = source.startIndex
    }

    /// The decoded text; `nil`: an escape is incomplete or does not name a scalar.
    mutating func unescaped() -> Text? {
        while let byte = next() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escape = next(), read(escape) else { return nil }
        }
        return Text(bytes)
    }

    private mutating func next() -> UInt8? {
        guard index < source.endIndex else { return nil }
        defer { index += 1 }
        return source[index]
    }

    private mutating func read(_ escape: UInt8) -> Bool {
        switch escape {
        case UInt8(ascii: "\n"): break
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): bytes.append(escape)
        case UInt8(ascii: "a"): bytes.append(7)
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "v"): bytes.append(11)
        case UInt8(ascii: "x"): return append(hexadecimal(2))
        case UInt8(ascii: "u"): return append(hexadecimal(4))
        case UInt8(ascii: "U"): return append(hexadecimal(8))
        case UInt8(ascii: "N"): return append(named())
        case 0x30...0x37: return append(octal(escape))
        case 0x80...: appendBackslashed(escape)
        default: bytes += [UInt8(ascii: "\\"), escape]
        }
        return true
    }

    private mutating func append(_ value: UInt32?) -> Bool {
        guard let scalar = value.flatMap(Unicode.Scalar.init) else { return false }
        bytes.append(contentsOf: UTF8.encode(scalar)!)
        return true
    }

    private mutating func hexadecimal(_ count: Int) -> UInt32? {
        guard source.endIndex - index >= count else { return nil }
        var value: UInt32 = 0
        for byte in source[index..<(index + count)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        index += count
        return value
    }

    /// The scalar whose name follows in braces.
    private mutating func named() -> UInt32? {
        guard next() == UInt8(ascii: "{"), let end = source[index...].firstIndex(of: UInt8(ascii: "}")) else {
            return nil
        }
        let name = String(decoding: source[index..<end], as: UTF8.self).uppercased()
        index = end + 1
        return ScalarNames.scalar(named: name)
    }

    private mutating func octal(_ first: UInt8) -> UInt32 {
        var value = UInt32(first - 0x30)
        var count = 1
        while count < 3, index < source.endIndex, (0x30...0x37).contains(source[index]) {
            value = value << 3 | UInt32(source[index] - 0x30)
            index += 1
            count += 1
        }
        return value
    }

    /// A backslash before a character that is not ASCII. Jinja replaces such a character by its escape before it
    /// decodes escapes, so the result is a backslash and the letters of that escape.
    private mutating func appendBackslashed(_ first: UInt8) {
        let start = index - 1
        while index < source.endIndex, source[index] & 0xC0 == 0x80 { index += 1 }
        let value = String(decoding: source[start..<index], as: UTF8.self).unicodeScalars.first?.value ?? 0xFFFD
        let digits = String(value, radix: 16)
        let (letter, width) = value <= 0xFF ? ("x", 2) : value <= 0xFFFF ? ("u", 4) : ("U", 8)
        bytes += Array("\\\(letter)\(String(repeating: "0", count: width - digits.count))\(digits)".utf8)
    }
}

/// Looks up Unicode scalars by name, for the escape `\N{BULLET}`.
enum ScalarNames {
    /// The scalar with this name, in capitals; `nil`: there is none.
    static func scalar(named name: String) -> UInt32? {
        let ideograph = "CJK UNIFIED IDEOGRAPH-"
        if name.hasPrefix(ideograph), let value = UInt32(name.dropFirst(ideograph.count), radix: 16),
            let scalar = Unicode.Scalar(value), scalar.properties.name == name
        {
            return value
        }
        return values[name]
    }

    /// Created lazily, because few templates use such an escape.
    private static let values: [String: UInt32] = {
        var values: [String: UInt32] = [:]
        for value in UInt32(0)..<0x2_0000 {
            guard let properties = Unicode.Scalar(value)?.properties else { continue }
            if let name = properties.name, !name.hasPrefix("CJK UNIFIED") { values[name] = value }
            if let alias = properties.nameAlias { values[alias] = value }
        }
        return values
    }()
}
