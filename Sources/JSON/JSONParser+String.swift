extension JSONParser {
    /// The string whose opening quote is next.
    mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        skipPlainText()
        if next == UInt8(ascii: "\"") {
            // Most strings have no escapes and need no copy.
            defer { position += 1 }
            return try validated(bytes[start..<position], start: start)
        }
        var text = Array(bytes[start..<position])
        while true {
            let run = position
            skipPlainText()
            text.append(contentsOf: bytes[run..<position])
            switch next {
            case nil: throw error("the text ends inside a string")
            case UInt8(ascii: "\""):
                position += 1
                return try validated(text, start: start)
            case UInt8(ascii: "\\"): try escape(into: &text)
            default: throw error("a control character stands in a string")
            }
        }
    }

    private mutating func skipPlainText() {
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
    }

    private func validated(_ text: some Sequence<UInt8>, start: Int) throws(JSONError) -> String {
        guard let string = String(validating: text, as: UTF8.self) else {
            throw JSONError(problem: "a string is not valid UTF-8", byteOffset: start)
        }
        return string
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        position += 1
        guard let byte = next else { throw error("the text ends inside a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try unicodeEscape()).utf8)
        default: throw error("an unknown escape")
        }
    }

    private mutating func unicodeEscape() throws(JSONError) -> Character {
        let high = try fourDigits()
        if let scalar = Unicode.Scalar(high) { return Character(scalar) }
        guard (0xD800..<0xDC00).contains(high), take(#"\u"#) else { throw error("half of a surrogate pair") }
        let low = try fourDigits()
        guard (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        else { throw error("half of a surrogate pair") }
        return Character(scalar)
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("four hexadecimal digits are expected")
            }
            value = value << 4 + UInt32(digit)
            position += 1
        }
        return value
    }
}
