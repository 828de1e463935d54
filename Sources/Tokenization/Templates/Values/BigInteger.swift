/// An integer of any size: what Python's `int` is where 64 bits are not enough.
struct BigInteger: Sendable, Equatable {
    let isNegative: Bool
    /// The magnitude in digits of 32 bits, the lowest first, none of them a leading zero; zero has none.
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

    /// The integer that `text` spells: digits of `radix`, perhaps after a sign; `nil`: it spells none.
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

    /// The whole number `double`; `nil`: it has a fraction, or is not finite.
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

    /// The number where 64 bits hold it.
    var int: Int? {
        guard digits.count <= 2 else { return nil }
        let magnitude = digits.reversed().reduce(UInt64(0)) { $0 << 32 | UInt64($1) }
        if isNegative { return magnitude <= 1 << 63 ? Int(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int(exactly: magnitude)
    }

    /// The nearest number in 64-bit floating point; infinite where that is too small.
    var double: Double {
        // The highest 64 bits decide, and whether any bit below them is set.
        var top: UInt64 = 0
        let bits = bitCount
        let shift = max(bits - 64, 0)
        for (place, digit) in digits.enumerated() {
            let start = place * 32 - shift
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

    /// Binary digits of the magnitude.
    var bitCount: Int { digits.count * 32 - (digits.last?.leadingZeroBitCount ?? 0) }

    /// The digits of radix 2, 8, 10 or 16, after a minus sign where it is negative.
    func text(radix: Int = 10) -> String {
        guard !digits.isEmpty else { return "0" }
        // As many digits as 32 bits always hold, taken at once.
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
        for (place, digit) in left.digits.enumerated() {
            var carry: UInt64 = 0
            for (offset, other) in right.digits.enumerated() {
                let value = UInt64(digit) * UInt64(other) + UInt64(result[place + offset]) + carry
                result[place + offset] = UInt32(truncatingIfNeeded: value)
                carry = value >> 32
            }
            result[place + right.digits.count] = UInt32(carry)
        }
        return BigInteger(isNegative: left.isNegative != right.isNegative, digits: result)
    }

    /// The quotient, rounded once to the nearest number in 64-bit floating point, as Python's `/` rounds it.
    ///
    /// - Precondition: `divisor` is not zero.
    func divided(by divisor: BigInteger) -> Double {
        guard !digits.isEmpty else { return divisor.isNegative ? -0.0 : 0 }
        // As many more binary digits as the quotient needs to have 66 of them, of which the last says whether more follow.
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

/// Magnitudes.
extension BigInteger {
    private static func isLess(_ left: [UInt32], _ right: [UInt32]) -> Bool {
        guard left.count == right.count else { return left.count < right.count }
        for (left, right) in zip(left, right).reversed() where left != right { return left < right }
        return false
    }

    private static func sum(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        var carry: UInt64 = 0
        for place in 0..<max(left.count, right.count) {
            carry += (place < left.count ? UInt64(left[place]) : 0) + (place < right.count ? UInt64(right[place]) : 0)
            result.append(UInt32(truncatingIfNeeded: carry))
            carry >>= 32
        }
        return result + [UInt32(carry)]
    }

    /// `left` less `right`, which is not greater.
    private static func difference(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        var result = left
        var borrow: Int64 = 0
        for place in left.indices {
            let value = Int64(left[place]) - (place < right.count ? Int64(right[place]) : 0) + borrow
            result[place] = UInt32(truncatingIfNeeded: value)
            borrow = value < 0 ? -1 : 0
        }
        return result
    }

    private static func multiply(_ digits: inout [UInt32], by factor: UInt32, adding term: UInt32) {
        var carry = UInt64(term)
        for place in digits.indices {
            carry += UInt64(digits[place]) * UInt64(factor)
            digits[place] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { digits.append(UInt32(carry)) }
    }

    /// Divides in place and gives the remainder.
    private static func divide(_ digits: inout [UInt32], by divisor: UInt32) -> UInt32 {
        var rest: UInt64 = 0
        for place in digits.indices.reversed() {
            rest = rest << 32 | UInt64(digits[place])
            digits[place] = UInt32(rest / UInt64(divisor))
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
        for place in (0..<(rest.count - count)).reversed() {
            let top = UInt64(rest[place + count]) << 32 | UInt64(rest[place + count - 1])
            var (guess, left) = top.quotientAndRemainder(dividingBy: highest)
            while guess >> 32 > 0 || guess * second > left << 32 | UInt64(rest[place + count - 2]) {
                guess -= 1
                left += highest
                if left >> 32 > 0 { break }
            }
            var borrow: Int64 = 0
            var carry: UInt64 = 0
            for offset in 0...count {
                carry += offset < count ? guess * UInt64(divisor[offset]) : 0
                let value = Int64(rest[place + offset]) - Int64(carry & 0xFFFF_FFFF) + borrow
                rest[place + offset] = UInt32(truncatingIfNeeded: value)
                borrow = value < 0 ? -1 : 0
                carry >>= 32
            }
            if borrow < 0 {
                // The guess was one too many.
                guess -= 1
                var carry: UInt64 = 0
                for offset in 0...count {
                    carry += UInt64(rest[place + offset]) + (offset < count ? UInt64(divisor[offset]) : 0)
                    rest[place + offset] = UInt32(truncatingIfNeeded: carry)
                    carry >>= 32
                }
            }
            quotient[place] = UInt32(guess)
        }
        var remainder = BigInteger(isNegative: false, digits: rest).digits
        for _ in 0..<shift { remainder = halved(remainder) }
        return (quotient, remainder)
    }

    private static func halved(_ digits: [UInt32]) -> [UInt32] {
        digits.indices.map { place in
            digits[place] >> 1 | (place + 1 < digits.count ? digits[place + 1] << 31 : 0)
        }
    }
}
