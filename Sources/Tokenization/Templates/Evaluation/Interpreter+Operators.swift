import CLibrary

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
