import CLibrary

/// An integer of any size, for values of Python's `int` beyond 64 bits.
struct BigInteger: Sendable, Equatable {
    let isNegative: Bool
    /// The magnitude in base 2^32, least significant digit first, without leading zeros; zero has no digits.
    let digits: [UInt32]

    private init(isNegative: Bool, digits: [UInt32]) {
        var digits = digits
        while digits.last == 0 { digits.removeLast() }
        self.digits = digits
        self.isNegative = isNegative && !digits.isEmpty
    }

    init(_ int: Int) {
        let magnitude = UInt64(int.magnitude)
        self.init(
            isNegative: int < 0,
            digits: [UInt32(truncatingIfNeeded: magnitude), UInt32(truncatingIfNeeded: magnitude >> 32)])
    }

    /// Parses digits of `radix` after an optional sign; `nil`: `text` is not an integer.
    init?(_ text: some StringProtocol, radix: Int = 10) {
        var rest = text.utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        guard !rest.isEmpty else { return nil }
        var digits: [UInt32] = []
        while !rest.isEmpty {
            // Six digits of any radix up to 36 fit 32 bits.
            let part = rest.prefix(6)
            let spelling = String(decoding: part, as: UTF8.self)
            guard part.first != UInt8(ascii: "+"), part.first != UInt8(ascii: "-"),
                let value = UInt32(spelling, radix: radix)
            else { return nil }
            let factor = part.reduce(UInt32(1)) { factor, _ in factor * UInt32(radix) }
            Self.multiply(&digits, by: factor, adding: value)
            rest = rest.dropFirst(part.count)
        }
        self.init(isNegative: isNegative, digits: digits)
    }

    /// The same number as `double`; `nil`: `double` has a fraction or is not finite.
    init?(exactly double: Double) {
        guard double.isFinite, double == double.rounded(.towardZero) else { return nil }
        guard double != 0 else {
            self.init(0)
            return
        }
        // A significand of 53 bits, times a power of two.
        let shift = max(Int(double.exponent) - 52, 0)
        let significand = UInt64((double.magnitude / Double(sign: .plus, exponent: shift, significand: 1)))
        let whole = BigInteger(
            isNegative: false, digits: [UInt32(truncatingIfNeeded: significand), UInt32(significand >> 32)])
        self.init(isNegative: double < 0, digits: Self.shifted(whole.digits, left: shift))
    }

    /// The same number in 64 bits; `nil`: it does not fit.
    var int: Int? {
        guard digits.count <= 2 else { return nil }
        let magnitude = digits.reversed().reduce(UInt64(0)) { $0 << 32 | UInt64($1) }
        if isNegative { return magnitude <= 1 << 63 ? Int(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int(exactly: magnitude)
    }

    /// The nearest 64-bit floating-point number; infinite if the magnitude is too large.
    var double: Double {
        // The rounding depends on the highest 64 bits and on whether any lower bit is set.
        var top: UInt64 = 0
        let bits = bitCount
        let shift = max(bits - 64, 0)
        for (position, digit) in digits.enumerated() {
            let start = position * 32 - shift
            if start >= 0 {
                top |= UInt64(digit) << UInt64(start)
            } else if start > -32 {
                top |= UInt64(digit >> UInt32(-start))
                if digit << UInt32(32 + start) != 0 { top |= 1 }
            } else if digit != 0 {
                top |= 1
            }
        }
        let magnitude = Double(sign: .plus, exponent: shift, significand: Double(top))
        return isNegative ? -magnitude : magnitude
    }

    /// The number of binary digits of the magnitude.
    var bitCount: Int { digits.count * 32 - (digits.last?.leadingZeroBitCount ?? 0) }

    /// The digits of radix 2, 8, 10 or 16, after a minus sign where it is negative.
    func text(radix: Int = 10) -> String {
        guard !digits.isEmpty else { return "0" }
        // The largest power of the radix that fits 32 bits, and its number of digits.
        let (chunk, width): (UInt32, Int) =
            switch radix {
            case 10: (1_000_000_000, 9)
            case 16: (1 << 28, 7)
            case 8: (1 << 30, 10)
            default: (1 << 31, 31)
            }
        var rest = digits
        var parts: [String] = []
        while !rest.isEmpty {
            let part = String(Self.divide(&rest, by: chunk), radix: radix)
            parts.append(rest.isEmpty ? part : String(repeating: "0", count: width - part.count) + part)
        }
        return (isNegative ? "-" : "") + parts.reversed().joined()
    }

    var negated: BigInteger { BigInteger(isNegative: !isNegative, digits: digits) }

    static func + (left: BigInteger, right: BigInteger) -> BigInteger {
        if left.isNegative == right.isNegative {
            return BigInteger(isNegative: left.isNegative, digits: sum(left.digits, right.digits))
        }
        return isLess(left.digits, right.digits)
            ? BigInteger(isNegative: right.isNegative, digits: difference(right.digits, left.digits))
            : BigInteger(isNegative: left.isNegative, digits: difference(left.digits, right.digits))
    }

    static func - (left: BigInteger, right: BigInteger) -> BigInteger { left + right.negated }

    static func * (left: BigInteger, right: BigInteger) -> BigInteger {
        var result = [UInt32](repeating: 0, count: left.digits.count + right.digits.count)
        for (position, digit) in left.digits.enumerated() {
            var carry: UInt64 = 0
            for (offset, other) in right.digits.enumerated() {
                let value = UInt64(digit) * UInt64(other) + UInt64(result[position + offset]) + carry
                result[position + offset] = UInt32(truncatingIfNeeded: value)
                carry = value >> 32
            }
            result[position + right.digits.count] = UInt32(carry)
        }
        return BigInteger(isNegative: left.isNegative != right.isNegative, digits: result)
    }

    /// The quotient, rounded once to the nearest number in 64-bit floating point, as Python's `/` rounds it.
    ///
    /// - Precondition: `divisor` is not zero.
    func divided(by divisor: BigInteger) -> Double {
        guard !digits.isEmpty else { return divisor.isNegative ? -0.0 : 0 }
        // The dividend is shifted so that the quotient has 66 binary digits. The last one is set if a remainder
        // follows.
        let shift = max(66 - (bitCount - divisor.bitCount), 0)
        var (quotient, rest) = Self.divided(Self.trimmed(Self.shifted(digits, left: shift)), by: divisor.digits)
        if rest.contains(where: { $0 != 0 }) { quotient[0] |= 1 }
        let whole = BigInteger(isNegative: isNegative != divisor.isNegative, digits: quotient).double
        return Double(sign: .plus, exponent: -shift, significand: whole)
    }

    /// Quotient and remainder, the quotient rounded down as Python's `//` rounds it.
    ///
    /// - Precondition: `divisor` is not zero.
    func dividedDown(by divisor: BigInteger) -> (quotient: BigInteger, remainder: BigInteger) {
        let (digits, rest) = Self.divided(digits, by: divisor.digits)
        let quotient = BigInteger(isNegative: isNegative != divisor.isNegative, digits: digits)
        let remainder = BigInteger(isNegative: isNegative, digits: rest)
        guard !remainder.digits.isEmpty, isNegative != divisor.isNegative else { return (quotient, remainder) }
        return (quotient - BigInteger(1), remainder + divisor)
    }

    static func < (left: BigInteger, right: BigInteger) -> Bool {
        guard left.isNegative == right.isNegative else { return left.isNegative }
        return left.isNegative ? isLess(right.digits, left.digits) : isLess(left.digits, right.digits)
    }
}

/// Operations on magnitudes.
extension BigInteger {
    private static func isLess(_ left: [UInt32], _ right: [UInt32]) -> Bool {
        guard left.count == right.count else { return left.count < right.count }
        for (left, right) in zip(left, right).reversed() where left != right { return left < right }
        return false
    }

    private static func sum(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        var carry: UInt64 = 0
        for position in 0..<max(left.count, right.count) {
            carry +=
                (position < left.count ? UInt64(left[position]) : 0)
                + (position < right.count ? UInt64(right[position]) : 0)
            result.append(UInt32(truncatingIfNeeded: carry))
            carry >>= 32
        }
        return result + [UInt32(carry)]
    }

    /// `left` minus `right`.
    ///
    /// - Precondition: `right` is not greater than `left`.
    private static func difference(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        var result = left
        var borrow: Int64 = 0
        for position in left.indices {
            let value = Int64(left[position]) - (position < right.count ? Int64(right[position]) : 0) + borrow
            result[position] = UInt32(truncatingIfNeeded: value)
            borrow = value < 0 ? -1 : 0
        }
        return result
    }

    private static func multiply(_ digits: inout [UInt32], by factor: UInt32, adding term: UInt32) {
        var carry = UInt64(term)
        for position in digits.indices {
            carry += UInt64(digits[position]) * UInt64(factor)
            digits[position] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { digits.append(UInt32(carry)) }
    }

    /// Divides in place and returns the remainder.
    private static func divide(_ digits: inout [UInt32], by divisor: UInt32) -> UInt32 {
        var rest: UInt64 = 0
        for position in digits.indices.reversed() {
            rest = rest << 32 | UInt64(digits[position])
            digits[position] = UInt32(rest / UInt64(divisor))
            rest %= UInt64(divisor)
        }
        while digits.last == 0 { digits.removeLast() }
        return UInt32(rest)
    }

    private static func trimmed(_ digits: [UInt32]) -> [UInt32] {
        Array(digits.prefix((digits.lastIndex { $0 != 0 } ?? -1) + 1))
    }

    private static func shifted(_ digits: [UInt32], left count: Int) -> [UInt32] {
        let (words, bits) = (count / 32, count % 32)
        var result = [UInt32](repeating: 0, count: words)
        var carry: UInt64 = 0
        for digit in digits {
            carry |= UInt64(digit) << UInt64(bits)
            result.append(UInt32(truncatingIfNeeded: carry))
            carry >>= 32
        }
        return result + [UInt32(carry)]
    }

    /// Quotient and remainder by long division (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D).
    private static func divided(_ dividend: [UInt32], by divisor: [UInt32]) -> (quotient: [UInt32], rest: [UInt32]) {
        guard !isLess(dividend, divisor) else { return ([], dividend) }
        if divisor.count == 1 {
            var quotient = dividend
            let rest = divide(&quotient, by: divisor[0])
            return (quotient, [rest])
        }
        let shift = divisor[divisor.count - 1].leadingZeroBitCount
        let count = divisor.count
        let divisor = Array(shifted(divisor, left: shift).prefix(count))
        var rest = shifted(dividend, left: shift)
        let (highest, second) = (UInt64(divisor[count - 1]), UInt64(divisor[count - 2]))
        var quotient = [UInt32](repeating: 0, count: rest.count - count)
        for position in (0..<(rest.count - count)).reversed() {
            let top = UInt64(rest[position + count]) << 32 | UInt64(rest[position + count - 1])
            var (guess, left) = top.quotientAndRemainder(dividingBy: highest)
            while guess >> 32 > 0 || guess * second > left << 32 | UInt64(rest[position + count - 2]) {
                guess -= 1
                left += highest
                if left >> 32 > 0 { break }
            }
            var borrow: Int64 = 0
            var carry: UInt64 = 0
            for offset in 0...count {
                carry += offset < count ? guess * UInt64(divisor[offset]) : 0
                let value = Int64(rest[position + offset]) - Int64(carry & 0xFFFF_FFFF) + borrow
                rest[position + offset] = UInt32(truncatingIfNeeded: value)
                borrow = value < 0 ? -1 : 0
                carry >>= 32
            }
            if borrow < 0 {
                // The guess was one too large.
                guess -= 1
                var carry: UInt64 = 0
                for offset in 0...count {
                    carry += UInt64(rest[position + offset]) + (offset < count ? UInt64(divisor[offset]) : 0)
                    rest[position + offset] = UInt32(truncatingIfNeeded: carry)
                    carry >>= 32
                }
            }
            quotient[position] = UInt32(guess)
        }
        var remainder = BigInteger(isNegative: false, digits: rest).digits
        for _ in 0..<shift { remainder = halved(remainder) }
        return (quotient, remainder)
    }

    private static func halved(_ digits: [UInt32]) -> [UInt32] {
        digits.indices.map { position in
            digits[position] >> 1 | (position + 1 < digits.count ? digits[position + 1] << 31 : 0)
        }
    }
}

/// Numbers as Python writes and reads them.
enum PythonNumber {
    /// The shortest decimal number that parses to `number`, as Python's `repr` writes it.
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
        var position = (point ?? digits.count) + exponent
        while digits.count > 1, digits.first == "0" {
            digits.removeFirst()
            position -= 1
        }
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        return (digits, position)
    }

    /// `number` with a fixed number of digits after the decimal point, rounded half to even.
    static func fixed(_ number: Double, _ digits: Int, _ conversion: Character = "f") -> String {
        var buffer = [CChar](repeating: 0, count: 400 + digits)
        _ = withVaList([Int32(clamping: digits), number]) {
            vsnprintf(&buffer, buffer.count, "%.*\(conversion)", $0)
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The result of Python's `float(text)`; `nil`: it raises an error.
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

    /// The result of Python's `int(text, base)`.
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

    /// `text` without surrounding white space and without single underscores between digits; `nil`: it is malformed.
    private static func digits(_ text: Text) -> String? {
        let stripped = text.stripped(nil, leading: true, trailing: true)
        guard stripped.isASCII, !stripped.isEmpty, !stripped.bytes.contains(0) else { return nil }
        var result: [UInt8] = []
        for (index, byte) in stripped.bytes.enumerated() {
            guard byte == UInt8(ascii: "_") else {
                result.append(byte)
                continue
            }
            func isDigit(_ position: Int) -> Bool {
                position >= 0 && position < stripped.bytes.count
                    && Character(Unicode.Scalar(stripped.bytes[position])).isLetterOrDigit
            }
            guard isDigit(index - 1), isDigit(index + 1) else { return nil }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension Character {
    fileprivate var isLetterOrDigit: Bool { isLetter || isNumber }
}
