/// A strict JSON reader (RFC 8259) for hostile input: nesting is bounded, nothing is guessed, errors name key and byte.
struct JSONParser {
    /// Arrays and objects within each other, at most.
    static let maxDepth = 128

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The one value that `bytes` holds.
    static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes)
        parser.skipSpace()
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.error("something follows the value") }
        return value
    }

    private func error(_ problem: String) -> JSONError { JSONError(problem: problem, offset: position) }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        for index in 0..<count where bytes[position + index] != text.utf8Start[index] { return false }
        position += count
        return true
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        switch next {
        case nil: throw error("the text ends where a value is expected")
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t") where take("true"): return .bool(true)
        case UInt8(ascii: "f") where take("false"): return .bool(false)
        case UInt8(ascii: "n") where take("null"): return .null
        case let byte? where byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
            return try number()
        default:
            for name: StaticString in ["NaN", "Infinity"] where take(name) { throw notFinite(name.description) }
            throw error("a value is expected")
        }
    }

    private func notFinite(_ name: String) -> JSONError { error("\(name) is not a JSON number") }

    private mutating func object() throws(JSONError) -> JSONValue {
        try descend()
        var object = JSONObject()
        skipSpace()
        while next != UInt8(ascii: "}") {
            guard next == UInt8(ascii: "\"") else { throw error("a key in double quotes is expected") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw error("a colon is expected after the key") }
            skipSpace()
            do throws(JSONError) { object.append(key, try value()) } catch { throw error.inside(key) }
            skipSpace()
            guard take(",") else { break }
            skipSpace()
            if next == UInt8(ascii: "}") { throw error("a key is expected after the comma") }
        }
        guard take("}") else { throw error("a comma or the end of the object is expected") }
        depth -= 1
        return .object(object)
    }

    private mutating func array() throws(JSONError) -> JSONValue {
        try descend()
        var values: [JSONValue] = []
        skipSpace()
        while next != UInt8(ascii: "]") {
            let index = values.count
            do throws(JSONError) { values.append(try value()) } catch { throw error.inside("\(index)") }
            skipSpace()
            guard take(",") else { break }
            skipSpace()
            if next == UInt8(ascii: "]") { throw error("a value is expected after the comma") }
        }
        guard take("]") else { throw error("a comma or the end of the array is expected") }
        depth -= 1
        return .array(values)
    }

    private mutating func descend() throws(JSONError) {
        guard depth < Self.maxDepth else { throw error("nested more than \(Self.maxDepth) deep") }
        depth += 1
        position += 1
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        var isInteger = true
        if take("-"), take("Infinity") { throw notFinite("-Infinity") }
        if take("0") {
            if digits() > 0 { throw error("a number does not begin with 0") }
        } else if digits() == 0 {
            throw error("a digit is expected")
        }
        if take(".") {
            isInteger = false
            if digits() == 0 { throw error("a digit is expected after the point") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            if digits() == 0 { throw error("a digit is expected in the exponent") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else {
            position = start
            throw error("the number is too large")
        }
        return .number(value)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        var text: [UInt8] = []
        let start = position
        while true {
            let run = position
            while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
                position += 1
            }
            text.append(contentsOf: bytes[run..<position])
            switch next {
            case nil: throw error("the text ends inside a string")
            case UInt8(ascii: "\""):
                position += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw JSONError(problem: "a string is not valid UTF-8", offset: start)
                }
                return string
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
            default: throw error("a control character stands in a string")
            }
        }
    }

    private mutating func escape() throws(JSONError) -> [UInt8] {
        position += 1
        guard let byte = next else { throw error("the text ends inside a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(String(try unicodeEscape()).utf8)
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
