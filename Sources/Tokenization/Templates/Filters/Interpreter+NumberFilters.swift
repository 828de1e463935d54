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

    /// The number that `value` is or spells; `nil`: none.
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

    /// A whole number to tens, hundreds and so on, halves to even.
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
