/// Parses JSON (RFC 8259) strictly where it protects: a key twice in one object is an error, as are invalid UTF-8 and
/// nesting beyond 128 levels. Python's `NaN` and `Infinity` are read, because `json.dump` writes them.
struct JSONParser {
    /// Why and where a document is not JSON.
    struct Failure: Error, Equatable, CustomStringConvertible {
        /// What is wrong.
        let reason: String
        /// Where, in bytes from the start.
        let byteOffset: Int
        var description: String { "invalid JSON at byte \(byteOffset): \(reason)" }
    }

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    /// The document in `bytes`, and nothing but white space after it.
    static func parse(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> JSONValue {
        var parser = JSONParser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.offset == bytes.count else { throw parser.failure("text after the end of the document") }
        return value
    }

    private init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private func failure(_ reason: String) -> Failure { Failure(reason: reason, byteOffset: offset) }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func takeWord(_ word: StaticString) -> Bool {
        let text = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard offset + text.count <= bytes.count, bytes[offset..<offset + text.count].elementsEqual(text) else {
            return false
        }
        offset += text.count
        return true
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        guard depth < 128 else { throw failure("nested deeper than 128 levels") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case nil: throw failure("the document ends where a value should be")
        default: break
        }
        if takeWord("true") { return .bool(true) }
        if takeWord("false") { return .bool(false) }
        if takeWord("null") { return .null }
        if takeWord("NaN") { return .number(.nan) }
        if takeWord("Infinity") { return .number(.infinity) }
        if takeWord("-Infinity") { return .number(-.infinity) }
        return try number()
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONValue {
        offset += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("expected a key") }
            let keyOffset = offset
            let key = try string()
            skipSpace()
            guard take(":") else { throw failure("expected ':' after key \"\(key.prefix(80))\"") }
            let member = try value(depth: depth + 1)
            guard members.updateValue(member, forKey: key) == nil else {
                throw Failure(reason: "key \"\(key.prefix(80))\" appears twice", byteOffset: keyOffset)
            }
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw failure("expected ',' or '}'") }
        }
    }

    private mutating func array(depth: Int) throws(Failure) -> JSONValue {
        offset += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw failure("expected ',' or ']'") }
        }
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = offset
        var isInteger = true
        _ = take("-")
        let digits = offset
        while let byte = next {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                isInteger = false
            default: return try finishNumber(start: start, digits: digits, isInteger: isInteger)
            }
            offset += 1
        }
        return try finishNumber(start: start, digits: digits, isInteger: isInteger)
    }

    private func finishNumber(start: Int, digits: Int, isInteger: Bool) throws(Failure) -> JSONValue {
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        let hasLeadingZero = offset > digits + 1 && bytes[digits] == UInt8(ascii: "0") && isInteger
        guard offset > digits, !hasLeadingZero, (0x30...0x39).contains(bytes[digits]) else {
            throw Failure(reason: "expected a value", byteOffset: start)
        }
        if isInteger, let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text) else { throw Failure(reason: "invalid number \(text)", byteOffset: start) }
        return .number(number)
    }

    private mutating func string() throws(Failure) -> String {
        offset += 1
        let start = offset
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            guard byte >= 0x20 else { throw failure("control character in a string") }
            offset += 1
        }
        var text = Array(bytes[start..<offset])
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw Failure(reason: "string is not UTF-8", byteOffset: start)
                }
                return string
            case UInt8(ascii: "\\"):
                offset += 1
                try escape(into: &text)
            case 0..<0x20:
                throw failure("control character in a string")
            default:
                text.append(byte)
                offset += 1
            }
        }
        throw failure("the document ends inside a string")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        guard let byte = next else { throw failure("the document ends inside a string") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexQuad()
            if (0xD800..<0xDC00).contains(code) {
                guard takeWord("\\u") else { throw failure("unpaired surrogate") }
                let low = try hexQuad()
                guard (0xDC00..<0xE000).contains(low) else { throw failure("unpaired surrogate") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("unpaired surrogate") }
            text.append(contentsOf: String(Character(scalar)).utf8)
        default: throw failure("unknown escape")
        }
    }

    private mutating func hexQuad() throws(Failure) -> UInt32 {
        guard offset + 4 <= bytes.count else { throw failure("the document ends inside a string") }
        var code: UInt32 = 0
        for byte in bytes[offset..<offset + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw failure("bad \\u escape") }
            code = code << 4 | UInt32(digit)
        }
        offset += 4
        return code
    }
}
