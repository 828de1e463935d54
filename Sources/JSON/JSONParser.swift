/// A strict JSON parser (RFC 8259) for untrusted input. Nesting is limited, and errors name key and byte.
public struct JSONParser {
    /// Deviations from the RFC.
    public struct Options: Sendable {
        /// Whether a repeated key in one object is an error; otherwise the last one counts.
        public var rejectsDuplicateKeys = false
        /// Whether `NaN`, `Infinity` and `-Infinity` are numbers; Python's `json.dump` writes them.
        public var acceptsNonFiniteNumbers = false

        public init() {}
    }

    /// Maximum nesting of arrays and objects.
    public static let maxDepth = 128

    /// Maximum number of digits of an integer, as in Python.
    public static let maxIntegerDigitCount = 4300

    let bytes: UnsafeRawBufferPointer
    private let options: Options
    var position = 0
    private var depth = 0

    /// The value in `bytes`, which may begin with a byte order mark.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, options: Options = Options()
    ) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes: bytes, options: options)
        _ = parser.take("\u{FEFF}")
        parser.skipSpace()
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.error("something follows the value") }
        return value
    }

    /// The value in `bytes`, which may begin with a byte order mark.
    public static func parse(_ bytes: [UInt8], options: Options = Options()) throws(JSONError) -> JSONValue {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(JSONError) in try parse(buffer, options: options) }
        }
        return try result.get()
    }

    private init(bytes: UnsafeRawBufferPointer, options: Options) {
        self.bytes = bytes
        self.options = options
    }

    func error(_ problem: String) -> JSONError { JSONError(problem: problem, byteOffset: position) }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func take(_ text: StaticString) -> Bool {
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
        case UInt8(ascii: "N") where take("NaN"): return try nonFinite("NaN", .nan)
        case UInt8(ascii: "I") where take("Infinity"): return try nonFinite("Infinity", .infinity)
        case let byte? where byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
            return try number()
        default: throw error("a value is expected")
        }
    }

    private func nonFinite(_ name: String, _ value: Double) throws(JSONError) -> JSONValue {
        guard options.acceptsNonFiniteNumbers else { throw error("\(name) is not a JSON number") }
        return .number(value)
    }

    private mutating func object() throws(JSONError) -> JSONValue {
        try descend()
        var object = JSONObject()
        var keys: Set<[UInt8]> = []
        skipSpace()
        while next != UInt8(ascii: "}") {
            guard next == UInt8(ascii: "\"") else { throw error("a key in double quotes is expected") }
            let start = position
            let key = try string()
            // Compared by bytes, because Swift's strings treat canonically equivalent keys as equal.
            if options.rejectsDuplicateKeys, !keys.insert(Array(key.utf8)).inserted {
                throw JSONError(problem: "key \"\(key.prefix(80))\" appears twice", byteOffset: start)
            }
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
        if take("-"), take("Infinity") { return try nonFinite("-Infinity", -.infinity) }
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
        if isInteger {
            if let value = Int(text) { return .integer(value) }
            guard text.utf8.count <= Self.maxIntegerDigitCount else {
                position = start
                throw error("the number has more than \(Self.maxIntegerDigitCount) digits")
            }
            return .bigInteger(text)
        }
        guard let value = Double(text) else {
            position = start
            throw error("the number cannot be read")
        }
        return .number(value)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }
}
