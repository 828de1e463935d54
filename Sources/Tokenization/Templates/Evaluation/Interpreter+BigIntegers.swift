import CLibrary

/// Integers beyond 64 bits.
extension Interpreter {
    /// More than any template computes; Python has no limit.
    private static let maximumBitCount = 1 << 16

    func number(_ integer: BigInteger) throws(TemplateError) -> Value {
        if let int = integer.int { return .int(int) }
        guard integer.bitCount <= Self.maximumBitCount else { throw failure("an integer is too large") }
        try allocate(32 + integer.digits.count * 4)
        return .bigInteger(integer)
    }

    /// The integer's digits, of which Python writes no more than 4300.
    func digits(of integer: BigInteger) throws(TemplateError) -> String {
        // 4300 decimal digits have 14,285 binary ones at most.
        guard integer.bitCount <= 14_285 else { throw tooManyDigits }
        try step(1 + integer.digits.count * integer.digits.count / 8)
        let text = integer.text()
        guard text.utf8.count - (integer.isNegative ? 1 : 0) <= 4300 else { throw tooManyDigits }
        return text
    }

    private var tooManyDigits: TemplateError {
        failure("Exceeds the limit (4300 digits) for integer string conversion")
    }

    /// The whole number that a floating-point number is when its fraction is cut off.
    func whole(_ double: Double) throws(TemplateError) -> Value {
        guard let integer = BigInteger(exactly: double.rounded(.towardZero)) else {
            throw failure("cannot convert float \(PythonNumber.repr(double)) to integer")
        }
        return try number(integer)
    }

    func double(_ integer: BigInteger) throws(TemplateError) -> Double {
        try step(integer.digits.count)
        let double = integer.double
        guard double.isFinite else { throw failure("int too large to convert to float") }
        return double
    }

    func bigIntegers(
        _ operation: ArithmeticOperator, _ left: BigInteger, _ right: BigInteger
    ) throws(TemplateError) -> Value {
        try step(1 + left.digits.count * right.digits.count / 8)
        switch operation {
        case .add: return try number(left + right)
        case .subtract: return try number(left - right)
        case .multiply: return try number(left * right)
        case .divide:
            guard !right.digits.isEmpty else { throw failure("division by zero") }
            let quotient = left.divided(by: right)
            guard quotient.isFinite else { throw failure("integer division result too large for a float") }
            return .double(quotient)
        case .floorDivide, .modulo:
            guard !right.digits.isEmpty else { throw failure("division by zero") }
            let (quotient, remainder) = left.dividedDown(by: right)
            return try number(operation == .modulo ? remainder : quotient)
        case .power:
            guard !right.isNegative else { return .double(pow(try double(left), try double(right))) }
            guard let exponent = right.int, exponent <= Self.maximumBitCount,
                max(left.bitCount - 1, 0) * exponent <= Self.maximumBitCount
            else { throw failure("an integer is too large") }
            var result = BigInteger(1)
            for _ in 0..<exponent {
                try step(1 + result.digits.count / 8)
                result = result * left
            }
            return try number(result)
        }
    }
}
