/// What the inside of a quoted string stands for, by Python's escapes.
struct StringLiteral {
    private let source: ArraySlice<UInt8>
    private var index: Int
    private var bytes: [UInt8] = []

    init(_ source: ArraySlice<UInt8>) {
        self.source = source
        index = source.startIndex
    }

    /// The text; `nil`: an escape is cut short or names no scalar.
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

    /// Jinja spells what is not ASCII as an escape before it reads escapes, so a backslash before it stays a
    /// backslash and the escape's letters follow.
    private mutating func appendBackslashed(_ first: UInt8) {
        let start = index - 1
        while index < source.endIndex, source[index] & 0xC0 == 0x80 { index += 1 }
        let value = String(decoding: source[start..<index], as: UTF8.self).unicodeScalars.first?.value ?? 0xFFFD
        let digits = String(value, radix: 16)
        let (letter, width) = value <= 0xFF ? ("x", 2) : value <= 0xFFFF ? ("u", 4) : ("U", 8)
        bytes += Array("\\\(letter)\(String(repeating: "0", count: width - digits.count))\(digits)".utf8)
    }
}
