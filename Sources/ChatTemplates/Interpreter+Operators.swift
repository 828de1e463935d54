import CLibrary

/// Arithmetic with Python's results.
extension Interpreter {
    func unary(_ operation: UnaryOperator, _ operand: Value) throws(TemplateError) -> Value {
        if operation == .not { return .bool(!operand.isTrue) }
        switch operand.asNumber {
        case .int(let int):
            guard operation == .minus else { return .int(int) }
            return int == .min ? try number(BigInteger(int).negated) : .int(-int)
        case .bigInteger(let integer): return operation == .minus ? try number(integer.negated) : operand
        case .double(let double): return .double(operation == .minus ? -double : double)
        default: throw unusable(operation == .minus ? "-" : "+", operand)
        }
    }

    private func unusable(_ operation: String, _ values: Value...) -> TemplateError {
        for value in values { if case .undefined(let undefined) = value { return failure(undefined.message) } }
        let types = values.map { "'\($0.typeName)'" }.joined(separator: " and ")
        return failure("'\(operation)' cannot be used with \(types)")
    }

    func arithmetic(
        _ operation: ArithmeticOperator, _ left: Value, _ right: Value
    ) throws(TemplateError) -> Value {
        switch (left, right) {
        case (.text(let left), .text(let right)) where operation == .add: return try joined(left, right)
        case (.text(let format), _) where operation == .modulo: return try formatted(format, right)
        case (.sequence(let first), .sequence(let second)) where operation == .add:
            guard first.kind == second.kind, first.kind == .list || first.kind == .tuple else { break }
            try step((first.elements.count + second.elements.count) / 8)
            return try sequence(first.kind, first.elements + second.elements)
        case (_, .text), (_, .sequence), (.text, _), (.sequence, _):
            if operation == .multiply { return try repeated(left, right) }
        default:
            switch (left.asNumber, right.asNumber) {
            case (.int(let left), .int(let right)): return try integers(operation, left, right)
            case (.int(let left), .double(let right)): return try doubles(operation, Double(left), right)
            case (.double(let left), .int(let right)): return try doubles(operation, left, Double(right))
            case (.double(let left), .double(let right)): return try doubles(operation, left, right)
            case (.bigInteger(let left), .bigInteger(let right)): return try bigIntegers(operation, left, right)
            case (.bigInteger(let left), .int(let right)):
                return try bigIntegers(operation, left, BigInteger(right))
            case (.int(let left), .bigInteger(let right)):
                return try bigIntegers(operation, BigInteger(left), right)
            case (.bigInteger(let left), .double(let right)):
                return try doubles(operation, try double(left), right)
            case (.double(let left), .bigInteger(let right)):
                return try doubles(operation, left, try double(right))
            default: break
            }
        }
        throw unusable(operation.rawValue, left, right)
    }

    /// Adding to escaped text escapes what is added.
    private func joined(_ left: Text, _ right: Text) throws(TemplateError) -> Value {
        let isMarkup = left.isMarkup || right.isMarkup
        let left = isMarkup && !left.isMarkup ? left.escaped : left
        let right = isMarkup && !right.isMarkup ? right.escaped : right
        try allocate(left.bytes.count + right.bytes.count)
        return .text(Text(left.bytes + right.bytes, isMarkup: isMarkup))
    }

    private func repeated(_ left: Value, _ right: Value) throws(TemplateError) -> Value {
        let (subject, factor) = if case .int = left.asNumber { (right, left) } else { (left, right) }
        guard case .int(let number) = factor.asNumber else { throw unusable("*", left, right) }
        let count = max(number, 0)
        switch subject {
        case .text(let text):
            try allocate(text.bytes.count.multipliedSaturating(by: count))
            guard !text.isEmpty else { return subject }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(text.bytes.count * count)
            for _ in 0..<count { bytes.append(contentsOf: text.bytes) }
            return .text(Text(bytes, isMarkup: text.isMarkup))
        case .sequence(let sequence) where sequence.kind == .list || sequence.kind == .tuple:
            let total = sequence.elements.count.multipliedSaturating(by: count)
            try step(total)
            guard total > 0 else { return try self.sequence(sequence.kind, []) }
            return try self.sequence(
                sequence.kind, Array(repeatElement(sequence.elements, count: count).joined()))
        default: throw unusable("*", left, right)
        }
    }

    private func integers(
        _ operation: ArithmeticOperator, _ left: Int, _ right: Int
    ) throws(TemplateError) -> Value {
        func exact(_ result: (partialValue: Int, overflow: Bool)) throws(TemplateError) -> Value {
            guard result.overflow else { return .int(result.partialValue) }
            return try bigIntegers(operation, BigInteger(left), BigInteger(right))
        }
        switch operation {
        case .add: return try exact(left.addingReportingOverflow(right))
        case .subtract: return try exact(left.subtractingReportingOverflow(right))
        case .multiply: return try exact(left.multipliedReportingOverflow(by: right))
        case .divide: return try bigIntegers(.divide, BigInteger(left), BigInteger(right))
        case .floorDivide, .modulo:
            guard right != 0 else { throw failure("division by zero") }
            if right == -1 { return operation == .modulo ? .int(0) : try unary(.minus, .int(left)) }
            let (quotient, remainder) = left.quotientAndRemainder(dividingBy: right)
            let isBelow = remainder != 0 && (remainder < 0) != (right < 0)
            return .int(
                operation == .modulo ? (isBelow ? remainder + right : remainder) : (isBelow ? quotient - 1 : quotient))
        case .power: return try power(left, right)
        }
    }

    private func power(_ base: Int, _ exponent: Int) throws(TemplateError) -> Value {
        guard exponent >= 0 else {
            guard base != 0 else { throw failure("zero cannot be raised to a negative power") }
            return .double(pow(Double(base), Double(exponent)))
        }
        if base == 0 || base == 1 { return .int(exponent == 0 ? 1 : base) }
        if base == -1 { return .int(exponent % 2 == 0 ? 1 : -1) }
        var result = 1
        for _ in 0..<exponent {
            let (product, overflow) = result.multipliedReportingOverflow(by: base)
            if overflow { return try bigIntegers(.power, BigInteger(base), BigInteger(exponent)) }
            result = product
        }
        return .int(result)
    }

    private func doubles(
        _ operation: ArithmeticOperator, _ left: Double, _ right: Double
    ) throws(TemplateError) -> Value {
        switch operation {
        case .add: return .double(left + right)
        case .subtract: return .double(left - right)
        case .multiply: return .double(left * right)
        case .divide, .floorDivide, .modulo:
            guard right != 0 else { throw failure("division by zero") }
            if operation == .divide { return .double(left / right) }
            var remainder = fmod(left, right)
            var quotient = (left - remainder) / right
            if remainder != 0, (remainder < 0) != (right < 0) {
                remainder += right
                quotient -= 1
            } else if remainder == 0 {
                remainder = right < 0 ? -0.0 : 0.0
            }
            if operation == .modulo { return .double(remainder) }
            guard quotient != 0 else { return .double(left / right < 0 || (left / right).sign == .minus ? -0.0 : 0.0) }
            let floor = quotient.rounded(.down)
            return .double(quotient - floor > 0.5 ? floor + 1 : floor)
        case .power:
            if left == 0, right < 0 { throw failure("zero cannot be raised to a negative power") }
            let result = pow(left, right)
            if result.isNaN, !left.isNaN, !right.isNaN { throw failure("complex numbers are not supported") }
            if result.isInfinite, left.isFinite, right.isFinite { throw failure("the result is too large") }
            return .double(result)
        }
    }
}

/// Integers beyond 64 bits.
extension Interpreter {
    /// Maximum size of an integer; Python has no such limit.
    private static let maximumBitCount = 1 << 16

    func number(_ integer: BigInteger) throws(TemplateError) -> Value {
        if let int = integer.int { return .int(int) }
        guard integer.bitCount <= Self.maximumBitCount else { throw failure("an integer is too large") }
        try allocate(32 + integer.digits.count * 4)
        return .bigInteger(integer)
    }

    /// The decimal digits of `integer`; Python refuses to write more than 4300.
    func digits(of integer: BigInteger) throws(TemplateError) -> String {
        // 4300 decimal digits have at most 14,285 binary ones.
        guard integer.bitCount <= 14_285 else { throw tooManyDigits }
        try step(1 + integer.digits.count * integer.digits.count / 8)
        let text = integer.text()
        guard text.utf8.count - (integer.isNegative ? 1 : 0) <= 4300 else { throw tooManyDigits }
        return text
    }

    private var tooManyDigits: TemplateError {
        failure("Exceeds the limit (4300 digits) for integer string conversion")
    }

    /// `double` without its fraction, as an integer.
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

/// Comparisons.
extension Interpreter {
    func compareChain(
        _ first: Expression, _ others: [(ComparisonOperator, Expression)]
    ) throws(TemplateError) -> Bool {
        var left = try evaluate(first)
        for (operation, expression) in others {
            let right = try evaluate(expression)
            guard try compare(operation, left, right) else { return false }
            left = right
        }
        return true
    }

    func compare(_ operation: ComparisonOperator, _ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        switch operation {
        case .equal: return try equal(left, right)
        case .notEqual: return try !equal(left, right)
        case .in: return try contains(right, left)
        case .notIn: return try !contains(right, left)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            switch try order(left, right, operation.rawValue) {
            case .less: return operation == .less || operation == .lessOrEqual
            case .greater: return operation == .greater || operation == .greaterOrEqual
            case .equal: return operation == .lessOrEqual || operation == .greaterOrEqual
            case .unordered: return false
            }
        }
    }

    func equal(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        try step(min(left.weight, right.weight))
        return left == right
    }

    /// The order of two values; throws if they have none.
    func order(_ left: Value, _ right: Value, _ operation: String = "<") throws(TemplateError) -> Value.Order {
        if let order = left.compareNumbers(right) { return order }
        switch (left, right) {
        case (.text(let left), .text(let right)):
            try step(1 + min(left.bytes.count, right.bytes.count) / 32)
            return left == right ? .equal : left < right ? .less : .greater
        case (.sequence(let first), .sequence(let second))
        where first.kind == second.kind && (first.kind == .list || first.kind == .tuple):
            for (left, right) in zip(first.elements, second.elements) where try !equal(left, right) {
                return try deeper { () throws(TemplateError) in try order(left, right, operation) }
            }
            let (left, right) = (first.elements.count, second.elements.count)
            return left == right ? .equal : left < right ? .less : .greater
        case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw failure(undefined.message)
        default:
            throw failure("'\(operation)' cannot compare '\(left.typeName)' and '\(right.typeName)'")
        }
    }

    /// Python's `element in container`.
    func contains(_ container: Value, _ element: Value) throws(TemplateError) -> Bool {
        switch container {
        case .text(let text):
            guard case .text(let part) = element else {
                throw failure("'in <string>' requires string as left operand, not \(element.typeName)")
            }
            try step((text.bytes.count + part.bytes.count) / 16)
            return text.contains(part)
        case .dictionary(let dictionary):
            guard element.isHashable else { throw failure("a '\(element.typeName)' cannot be a key") }
            try step(element.weight)
            return dictionary[element] != nil
        case .sequence(let sequence):
            for candidate in sequence.elements where try equal(candidate, element) { return true }
            return false
        case .undefined: return false
        default: throw failure("argument of type '\(container.typeName)' is not iterable")
        }
    }
}

/// Filters of numbers.
extension Interpreter {
    func applyToNumber(
        _ filter: FilterName, _ input: Value, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        if case .undefined(let undefined) = input { throw failure(undefined.message) }
        switch filter {
        case .int:
            let values = try bind(arguments, ["default", "base"], "int")
            return try whole(input, base: try integer(values[1], missing: 10)) ?? values[0] ?? .int(0)
        case .float:
            let values = try bind(arguments, ["default"], "float")
            switch input {
            case .text(let text): return PythonNumber.double(text).map { .double($0) } ?? values[0] ?? .double(0)
            default:
                switch input.asNumber {
                case .int(let int): return .double(Double(int))
                case .bigInteger(let integer): return .double(try double(integer))
                case .double(let double): return .double(double)
                default: return values[0] ?? .double(0)
                }
            }
        case .abs:
            _ = try bind(arguments, [], "abs")
            switch input.asNumber {
            case .int(let int): return int < 0 ? try unary(.minus, .int(int)) : .int(int)
            case .bigInteger(let integer): return integer.isNegative ? try unary(.minus, input) : input
            case .double(let double): return .double(double.magnitude)
            default: throw failure("bad operand type for abs(): '\(input.typeName)'")
            }
        default: return try rounded(input, arguments)
        }
    }

    /// The integer that `value` is or, as text, spells; `nil`: it is not a number.
    private func whole(_ value: Value, base: Int) throws(TemplateError) -> Value? {
        switch value {
        case .text(let text):
            switch PythonNumber.whole(text, base: base) {
            case .value(let int): return .int(int)
            case .big(let integer): return try number(integer)
            case .malformed:
                return try PythonNumber.double(text).flatMap { (double) throws(TemplateError) in
                    double.isFinite ? try whole(.double(double), base: 10) : nil
                }
            }
        default:
            switch value.asNumber {
            case .int(let int): return .int(int)
            case .double(let double):
                return try double.isNaN ? nil : whole(double)
            case .bigInteger: return value
            default: return nil
            }
        }
    }

    private func rounded(_ input: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["precision", "method"], "round")
        let precision = try integer(values[0], missing: 0)
        let method = try text(values[1], missing: "common")
        guard (-300...300).contains(precision) else { throw failure("'round' needs a precision within 300") }
        guard let number = input.asNumber else { throw failure("'round' needs a number") }
        switch method {
        case "common":
            guard case .double(let double) = number else {
                guard precision < 0 else { return number }
                return try roundedToTens(number, precision)
            }
            guard double.isFinite else { return number }
            if precision >= 0 { return .double(Double(PythonNumber.fixed(double, precision)) ?? double) }
            return .double((double / power(of: -precision)).rounded(.toNearestOrEven) * power(of: -precision))
        case "ceil", "floor":
            let scale: Value = try arithmetic(.power, .int(10), .int(precision))
            let scaled = try arithmetic(.multiply, number, scale)
            let whole: Value
            if case .double(let double) = scaled {
                whole = try self.whole(double.rounded(method == "ceil" ? .up : .down))
            } else {
                whole = scaled
            }
            return try arithmetic(.divide, whole, scale)
        default: throw failure("method must be common, ceil or floor")
        }
    }

    private func power(of exponent: Int) -> Double { Double("1e\(exponent)") ?? .infinity }

    /// An integer rounded to tens, hundreds and so on, halves to even.
    private func roundedToTens(_ number: Value, _ precision: Int) throws(TemplateError) -> Value {
        guard case .int(let int) = number, precision >= -18 else { return .int(0) }
        var unit = 1
        for _ in 0..<(-precision) { unit *= 10 }
        let floor = try arithmetic(.floorDivide, .int(int), .int(unit))
        guard case .int(let quotient) = floor else { return number }
        let rest = int &- quotient &* unit
        let isUp = rest > unit / 2 || rest == unit / 2 && quotient % 2 != 0
        return try arithmetic(.multiply, .int(isUp ? quotient + 1 : quotient), .int(unit))
    }
}
