import CLibrary

/// Numbers as Python writes and reads them.
enum PythonNumber {
    /// The shortest digits that read back as the same number, in Python's form.
    static func repr(_ number: Double) -> String {
        if number.isNaN { return "nan" }
        if number.isInfinite { return number < 0 ? "-inf" : "inf" }
        let sign = number.sign == .minus ? "-" : ""
        if number == 0 { return sign + "0.0" }
        var (digits, point) = decimal(number.magnitude)
        guard point > -4, point <= 16 else {
            let exponent = point - 1
            let first = digits.removeFirst()
            let fraction = digits.isEmpty ? "" : "." + String(digits)
            let width = abs(exponent) < 10 ? "0" : ""
            return "\(sign)\(first)\(fraction)e\(exponent < 0 ? "-" : "+")\(width)\(abs(exponent))"
        }
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + String(digits) }
        if digits.count <= point {
            return sign + String(digits) + String(repeating: "0", count: point - digits.count) + ".0"
        }
        return sign + String(digits[..<point]) + "." + String(digits[point...])
    }

    /// The significant digits of a positive number, and how many of them are before the decimal point.
    private static func decimal(_ number: Double) -> (digits: [Character], point: Int) {
        var digits: [Character] = []
        var point: Int?
        var exponent = 0
        let spelling = number.description
        for (index, character) in zip(spelling.indices, spelling) {
            if character == "e" {
                exponent = Int(spelling[spelling.index(after: index)...].drop { $0 == "+" }) ?? 0
                break
            }
            if character == "." { point = digits.count } else { digits.append(character) }
        }
        var place = (point ?? digits.count) + exponent
        while digits.count > 1, digits.first == "0" {
            digits.removeFirst()
            place -= 1
        }
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        return (digits, place)
    }

    /// With so many digits after the decimal point, the last rounded half to even.
    static func fixed(_ number: Double, _ digits: Int, _ conversion: Character = "f") -> String {
        var buffer = [CChar](repeating: 0, count: 400 + digits)
        _ = withVaList([Int32(clamping: digits), number]) {
            vsnprintf(&buffer, buffer.count, "%.*\(conversion)", $0)
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The number that `text` spells, by Python's `float`.
    static func double(_ text: Text) -> Double? {
        guard let spelling = digits(text) else { return nil }
        let lower = spelling.lowercased()
        let unsigned = lower.drop { $0 == "+" || $0 == "-" }
        guard lower.count - unsigned.count <= 1 else { return nil }
        if unsigned == "nan" { return .nan }
        if unsigned == "inf" || unsigned == "infinity" { return lower.hasPrefix("-") ? -.infinity : .infinity }
        guard unsigned.allSatisfy({ $0.isNumber || $0 == "." || $0 == "e" || $0 == "+" || $0 == "-" }),
            unsigned.first != "e", unsigned.contains(where: \.isNumber)
        else { return nil }
        return lower.withCString { start in
            var end: UnsafeMutablePointer<CChar>?
            let value = strtod(start, &end)
            return end?.pointee == 0 ? value : nil
        }
    }

    /// What Python's `int` does with text.
    enum Whole { case value(Int), big(BigInteger), malformed }

    static func whole(_ text: Text, base: Int) -> Whole {
        guard (2...36).contains(base) || base == 0, var spelling = digits(text)?.lowercased() else {
            return .malformed
        }
        var sign = ""
        if let first = spelling.first, first == "+" || first == "-" {
            sign = first == "-" ? "-" : ""
            spelling.removeFirst()
        }
        var radix = base
        for (prefix, value) in [("0x", 16), ("0o", 8), ("0b", 2)] where spelling.hasPrefix(prefix) {
            if base == 0 || base == value {
                radix = value
                spelling.removeFirst(2)
                if spelling.first == "_" { spelling.removeFirst() }
            }
        }
        if radix == 0 {
            radix = 10
            if spelling.first == "0", spelling.contains(where: { $0 != "0" }) { return .malformed }
        }
        guard !spelling.isEmpty,
            spelling.allSatisfy({ $0.isASCII && ($0.hexDigitValue ?? letter($0)).map { $0 < radix } == true })
        else { return .malformed }
        if let int = Int(sign + spelling, radix: radix) { return .value(int) }
        guard spelling.utf8.count <= 4300, let integer = BigInteger(sign + spelling, radix: radix) else {
            return .malformed
        }
        return .big(integer)
    }

    private static func letter(_ character: Character) -> Int? {
        guard let byte = character.asciiValue, (0x67...0x7A).contains(byte) else { return nil }
        return Int(byte) - 0x61 + 10
    }

    /// Without the white space around it and single underscores between digits.
    private static func digits(_ text: Text) -> String? {
        let stripped = text.stripped(nil, leading: true, trailing: true)
        guard stripped.isASCII, !stripped.isEmpty, !stripped.bytes.contains(0) else { return nil }
        var result: [UInt8] = []
        for (index, byte) in stripped.bytes.enumerated() {
            guard byte == UInt8(ascii: "_") else {
                result.append(byte)
                continue
            }
            func isDigit(_ place: Int) -> Bool {
                place >= 0 && place < stripped.bytes.count
                    && Character(Unicode.Scalar(stripped.bytes[place])).isLetterOrDigit
            }
            guard isDigit(index - 1), isDigit(index + 1) else { return nil }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension Character {
    fileprivate var isLetterOrDigit: Bool { isLetter || isNumber }
}
