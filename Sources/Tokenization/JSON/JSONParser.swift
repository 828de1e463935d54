/// A strict reader of JSON (RFC 8259) that keeps the order of keys and compares them by bytes.
///
/// Vocabularies need both: Swift's `String` treats canonically equivalent keys as one.
struct JSONParser {
    /// Where and why the text is not JSON.
    struct Failure: Error {
        let byteOffset: Int
        let reason: String
    }

    private let text: [UInt8]
    private var index = 0
    private static let maximumDepth = 128

    private init(_ text: [UInt8]) { self.text = text }

    /// The value that `text` denotes.
    static func parse(_ text: [UInt8]) throws(Failure) -> TemplateValue {
        var parser = JSONParser(text)
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { parser.index = 3 }
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        if parser.index < text.count { throw parser.failure("something follows the value") }
        return value
    }

    private func failure(_ reason: String) -> Failure { Failure(byteOffset: index, reason: reason) }

    private mutating func skipSpace() {
        while index < text.count, [0x20, 0x0A, 0x0D, 0x09].contains(text[index]) { index += 1 }
    }

    private var peek: UInt8? { index < text.count ? text[index] : nil }

    private mutating func expect(_ literal: StaticString, _ value: TemplateValue) throws(Failure) -> TemplateValue {
        let wanted = UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
        guard text[index...].starts(with: wanted) else { throw failure("expected a value") }
        index += wanted.count
        return value
    }

    private mutating func value(depth: Int) throws(Failure) -> TemplateValue {
        guard depth <= Self.maximumDepth else { throw failure("nested more than \(Self.maximumDepth) deep") }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try expect("true", .bool(true))
        case UInt8(ascii: "f"): return try expect("false", .bool(false))
        case UInt8(ascii: "n"): return try expect("null", .null)
        default: return try number()
        }
    }

    private mutating func object(_ depth: Int) throws(Failure) -> TemplateValue {
        index += 1
        var entries: [(key: String, value: TemplateValue)] = []
        skipSpace()
        if peek == UInt8(ascii: "}") {
            index += 1
            return .object(TemplateObject())
        }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw failure("expected a key") }
            let key = try string()
            skipSpace()
            guard peek == UInt8(ascii: ":") else { throw failure("expected \":\"") }
            index += 1
            entries.append((key, try value(depth: depth + 1)))
            skipSpace()
            let separator = peek
            guard separator == UInt8(ascii: ",") || separator == UInt8(ascii: "}") else {
                throw failure("expected \",\" or \"}\"")
            }
            index += 1
            if separator == UInt8(ascii: "}") { return .object(TemplateObject(entries)) }
        }
    }

    private mutating func array(_ depth: Int) throws(Failure) -> TemplateValue {
        index += 1
        var elements: [TemplateValue] = []
        skipSpace()
        if peek == UInt8(ascii: "]") {
            index += 1
            return .array([])
        }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            let separator = peek
            guard separator == UInt8(ascii: ",") || separator == UInt8(ascii: "]") else {
                throw failure("expected \",\" or \"]\"")
            }
            index += 1
            if separator == UInt8(ascii: "]") { return .array(elements) }
        }
    }

    private mutating func number() throws(Failure) -> TemplateValue {
        let start = index
        func digits(_ parser: inout JSONParser) -> Int {
            let first = parser.index
            while let byte = parser.peek, (0x30...0x39).contains(byte) { parser.index += 1 }
            return parser.index - first
        }
        if peek == UInt8(ascii: "-") { index += 1 }
        let leadingZero = peek == UInt8(ascii: "0")
        let count = digits(&self)
        guard count > 0, !(leadingZero && count > 1) else { throw failure("expected a value") }
        var isInteger = true
        if peek == UInt8(ascii: ".") {
            index += 1
            isInteger = false
            guard digits(&self) > 0 else { throw failure("expected a digit") }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            index += 1
            isInteger = false
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { index += 1 }
            guard digits(&self) > 0 else { throw failure("expected a digit") }
        }
        let spelling = String(decoding: text[start..<index], as: UTF8.self)
        if isInteger, let value = Int(spelling) { return .int(value) }
        guard let value = Double(spelling) else { throw failure("expected a number") }
        return .double(value)
    }

    private mutating func string() throws(Failure) -> String {
        index += 1
        let start = index
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
        var bytes: [UInt8] = []
        if peek == UInt8(ascii: "\"") {
            defer { index += 1 }
            return try validated(text[start..<index])
        }
        bytes.append(contentsOf: text[start..<index])
        while let byte = peek {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return try validated(bytes[...])
            case UInt8(ascii: "\\"): try escape(&bytes)
            case 0..<0x20: throw failure("a control character in a string")
            default: bytes.append(byte)
            }
        }
        throw failure("a string does not end")
    }

    private func validated(_ bytes: ArraySlice<UInt8>) throws(Failure) -> String {
        guard let string = String(validating: bytes, as: UTF8.self) else { throw failure("a string is not UTF-8") }
        return string
    }

    private mutating func escape(_ bytes: inout [UInt8]) throws(Failure) {
        guard let byte = peek else { throw failure("a string does not end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(8)
        case UInt8(ascii: "f"): bytes.append(12)
        case UInt8(ascii: "n"): bytes.append(10)
        case UInt8(ascii: "r"): bytes.append(13)
        case UInt8(ascii: "t"): bytes.append(9)
        case UInt8(ascii: "u"):
            var value = try hexadecimal()
            if (0xD800..<0xDC00).contains(value), text[index...].starts(with: [0x5C, 0x75]) {
                index += 2
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair") }
                value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(value) else { throw failure("half a surrogate pair") }
            bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw failure("an unknown escape in a string")
        }
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        guard index + 4 <= text.count,
            text[index..<index + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(String(decoding: text[index..<index + 4], as: UTF8.self), radix: 16)
        else { throw failure("expected four hexadecimal digits") }
        index += 4
        return value
    }
}
