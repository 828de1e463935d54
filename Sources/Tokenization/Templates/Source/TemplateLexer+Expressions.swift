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

    /// Where a run of digits with single underscores between them ends.
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
            // 0 may be written many times, but no other digit may follow it.
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
