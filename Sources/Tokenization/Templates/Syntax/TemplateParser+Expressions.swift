extension TemplateParser {
    /// An expression; `allowsConditional` lets `a if b else c` be one.
    mutating func expression(allowsConditional: Bool = true) throws(TemplateError) -> Expression {
        try nested { (parser) throws(TemplateError) in
            var result = try parser.binary(minimum: 1)
            guard allowsConditional else { return result }
            while parser.isAt("if") {
                let line = parser.line
                parser.advance()
                let test = try parser.binary(minimum: 1)
                let otherwise = parser.skip("else") ? try parser.expression() : nil
                result = try parser.make(
                    .conditional(test: test, then: result, otherwise: otherwise), line: line,
                    over: [test, result] + (otherwise.map { [$0] } ?? []))
            }
            return result
        }
    }

    /// How tightly operators bind, loosest first.
    private enum Precedence {
        static let or = 1
        static let and = 2
        static let not = 3
        static let comparison = 4
        static let sum = 5
        static let concatenation = 6
        static let product = 7
        static let power = 8
    }

    /// Operands and operators that bind at least as tightly as `minimum`.
    private mutating func binary(minimum: Int) throws(TemplateError) -> Expression {
        var left: Expression
        if minimum <= Precedence.not, isAt("not") {
            let line = line
            advance()
            let operand = try nested { (parser) throws(TemplateError) in try parser.binary(minimum: Precedence.not) }
            left = try make(.unary(.not, operand), line: line, over: [operand])
        } else {
            left = try unary(withFilters: true)
        }
        while let joined = try join(left, minimum: minimum) { left = joined }
        return left
    }

    /// `left` with the next operator and its right side; `nil`: none follows that binds so tightly.
    private mutating func join(_ left: Expression, minimum: Int) throws(TemplateError) -> Expression? {
        let line = line
        switch current.kind {
        case .name("or") where minimum <= Precedence.or:
            advance()
            let right = try binary(minimum: Precedence.and)
            return try make(.or(left, right), line: line, over: [left, right])
        case .name("and") where minimum <= Precedence.and:
            advance()
            let right = try binary(minimum: Precedence.not)
            return try make(.and(left, right), line: line, over: [left, right])
        case .name("in"), .name("not"): return try comparison(left, minimum: minimum)
        case .symbol(.tilde) where minimum <= Precedence.concatenation:
            var parts = [left]
            while skip(.tilde) { parts.append(try binary(minimum: Precedence.product)) }
            return try make(.concatenation(parts), line: line, over: parts)
        case .symbol(let symbol):
            guard let operation = ArithmeticOperator(rawValue: symbol.rawValue) else {
                return try comparison(left, minimum: minimum)
            }
            let precedence: Int
            switch operation {
            case .add, .subtract: precedence = Precedence.sum
            case .power: precedence = Precedence.power
            default: precedence = Precedence.product
            }
            guard minimum <= precedence else { return nil }
            advance()
            let right =
                operation == .power ? try unary(withFilters: true) : try binary(minimum: precedence + 1)
            return try make(.arithmetic(operation, left, right), line: line, over: [left, right])
        default: return nil
        }
    }

    private mutating func comparisonOperator() -> ComparisonOperator? {
        if skip("in") { return .in }
        if isAt("not"), following.kind == .name("in") {
            advance()
            advance()
            return .notIn
        }
        guard case .symbol(let symbol) = current.kind else { return nil }
        guard let operation = ComparisonOperator(rawValue: symbol.rawValue) else { return nil }
        advance()
        return operation
    }

    /// `left` compared with what follows; comparisons in a row are one.
    private mutating func comparison(_ left: Expression, minimum: Int) throws(TemplateError) -> Expression? {
        guard minimum <= Precedence.comparison else { return nil }
        let line = line
        var comparisons: [(ComparisonOperator, Expression)] = []
        while let operation = comparisonOperator() {
            comparisons.append((operation, try binary(minimum: Precedence.sum)))
        }
        guard !comparisons.isEmpty else { return nil }
        return try make(.comparison(left, comparisons), line: line, over: [left] + comparisons.map(\.1))
    }

    private mutating func unary(withFilters: Bool) throws(TemplateError) -> Expression {
        let line = line
        var result: Expression
        if isAt(.subtract) || isAt(.add) {
            let operation: UnaryOperator = isAt(.subtract) ? .minus : .plus
            advance()
            let operand = try nested { (parser) throws(TemplateError) in try parser.unary(withFilters: false) }
            result = try make(.unary(operation, operand), line: line, over: [operand])
        } else {
            result = try primary()
        }
        result = try postfix(result)
        return withFilters ? try filters(result) : result
    }

    /// Expressions with commas between them, as a tuple; one without a comma as itself.
    mutating func tuple(
        allowsConditional: Bool = true, inParentheses: Bool = false
    ) throws(TemplateError) -> Expression {
        let line = line
        var parts: [Expression] = []
        var isTuple = false
        while !isAtTupleEnd {
            parts.append(try expression(allowsConditional: allowsConditional))
            guard skip(.comma) else { break }
            isTuple = true
        }
        if !isTuple, let only = parts.first { return only }
        guard isTuple || inParentheses else { throw unexpected("an expression") }
        return try make(.tuple(parts), line: line, over: parts)
    }

    private var isAtTupleEnd: Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(.closeParenthesis): true
        default: false
        }
    }
}
