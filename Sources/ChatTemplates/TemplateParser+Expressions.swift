/// Operators.
extension TemplateParser {
    /// Parses an expression; `allowsConditional` permits `a if b else c`.
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

    /// The precedence of operators, lowest first.
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

    /// Parses operands and the operators between them whose precedence is at least `minimum`.
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

    /// Parses the next operator and its right operand; `nil`: no operator of at least this precedence follows `left`.
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

    /// Parses a chain of comparisons that begins with `left`; `nil`: no comparison operator follows.
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

    /// Parses a tuple: expressions separated by commas. A single expression without a comma is returned as it is
    /// parsed.
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

/// Operands: names, literals and brackets, with attributes, subscripts and calls.
extension TemplateParser {
    /// Parses a name, a literal, or an expression in brackets.
    mutating func primary() throws(TemplateError) -> Expression {
        let line = line
        let kind = current.kind
        switch kind {
        case .name(let name):
            advance()
            if let literal = Self.literal(name) { return try make(.literal(literal), line: line) }
            return try make(.name(use(name, line: line)), line: line)
        case .string:
            var bytes: [UInt8] = []
            while case .string(let text) = current.kind {
                bytes += text.bytes
                advance()
            }
            return try make(.literal(.text(Text(bytes))), line: line)
        case .integer(let value):
            advance()
            return try make(.literal(.int(value)), line: line)
        case .bigInteger(let value):
            advance()
            return try make(.literal(.bigInteger(value)), line: line)
        case .float(let value):
            advance()
            return try make(.literal(.double(value)), line: line)
        case .symbol(.openParenthesis):
            advance()
            let result = try tuple(inParentheses: true)
            try expect(.closeParenthesis)
            return result
        case .symbol(.openBracket): return try list()
        case .symbol(.openBrace): return try dictionary()
        default: throw unexpected("an expression")
        }
    }

    /// The value of a reserved name; `nil`: the name is not reserved.
    static func literal(_ name: String) -> Literal? {
        switch name {
        case "true", "True": .bool(true)
        case "false", "False": .bool(false)
        case "none", "None": Literal.none
        default: nil
        }
    }

    private mutating func list() throws(TemplateError) -> Expression {
        let line = line
        try expect(.openBracket)
        var elements: [Expression] = []
        while !isAt(.closeBracket) {
            if !elements.isEmpty { try expect(.comma) }
            if isAt(.closeBracket) { break }
            elements.append(try expression())
        }
        try expect(.closeBracket)
        return try make(.list(elements), line: line, over: elements)
    }

    private mutating func dictionary() throws(TemplateError) -> Expression {
        let line = line
        try expect(.openBrace)
        var entries: [(key: Expression, value: Expression)] = []
        while !isAt(.closeBrace) {
            if !entries.isEmpty { try expect(.comma) }
            if isAt(.closeBrace) { break }
            let key = try expression()
            try expect(.colon)
            entries.append((key, try expression()))
        }
        try expect(.closeBrace)
        return try make(.dictionary(entries), line: line, over: entries.flatMap { [$0.key, $0.value] })
    }

    /// Parses attributes, subscripts and calls after an operand.
    mutating func postfix(_ operand: Expression) throws(TemplateError) -> Expression {
        var result = operand
        while case .symbol(let symbol) = current.kind {
            switch symbol {
            case .dot: result = try attribute(result)
            case .openBracket: result = try subscripted(result)
            case .openParenthesis: result = try call(result)
            default: return result
            }
        }
        return result
    }

    private mutating func call(_ callee: Expression) throws(TemplateError) -> Expression {
        let line = line
        let arguments = try arguments()
        return try make(.call(callee, arguments), line: line, over: [callee] + arguments.all)
    }

    private mutating func attribute(_ object: Expression) throws(TemplateError) -> Expression {
        let line = line
        advance()
        switch current.kind {
        case .name(let name):
            advance()
            return try make(.attribute(object, AttributeName(Text(name))), line: line, over: [object])
        case .integer(let value):
            let index = try make(.literal(.int(value)), line: line)
            advance()
            return try make(.item(object, index), line: line, over: [object])
        default: throw unexpected("a name or a number")
        }
    }

    private mutating func subscripted(_ object: Expression) throws(TemplateError) -> Expression {
        let line = line
        advance()
        var parts: [Expression] = []
        while !isAt(.closeBracket) {
            if !parts.isEmpty { try expect(.comma) }
            if parts.isEmpty {
                let start = isAt(.colon) ? nil : try expression()
                if isAt(.colon) { return try slice(object, start, line) }
                if let start { parts.append(start) }
            } else {
                parts.append(try expression())
            }
        }
        try expect(.closeBracket)
        let key = parts.count == 1 ? parts[0] : try make(.tuple(parts), line: line, over: parts)
        return try make(.item(object, key), line: line, over: [object, key])
    }

    private mutating func slice(
        _ object: Expression, _ start: Expression?, _ line: Int
    ) throws(TemplateError) -> Expression {
        try expect(.colon)
        let stop = isAt(.colon) || isAt(.closeBracket) ? nil : try expression()
        let step = skip(.colon) && !isAt(.closeBracket) ? try expression() : nil
        try expect(.closeBracket)
        return try make(
            .slice(object, start: start, stop: stop, step: step), line: line,
            over: [object] + [start, stop, step].compactMap { $0 })
    }

    /// Parses the arguments of a call, including the parentheses.
    mutating func arguments() throws(TemplateError) -> Arguments {
        try expect(.openParenthesis)
        var arguments = Arguments()
        var isFirst = true
        while !isAt(.closeParenthesis) {
            if !isFirst {
                try expect(.comma)
                if isAt(.closeParenthesis) { break }
            }
            isFirst = false
            try argument(&arguments)
        }
        try expect(.closeParenthesis)
        return arguments
    }

    private mutating func argument(_ arguments: inout Arguments) throws(TemplateError) {
        let isOpen = arguments.namedSpread == nil
        if isAt(.multiply), isOpen, arguments.spread == nil {
            advance()
            arguments.spread = try expression()
        } else if isAt(.power), isOpen {
            advance()
            arguments.namedSpread = try expression()
        } else if case .name(let name) = current.kind, following.kind == .symbol(.assign), isOpen {
            guard !arguments.named.contains(where: { $0.name == name }) else {
                throw syntax("the argument '\(name)' is given twice")
            }
            advance()
            advance()
            arguments.named.append((name, try expression()))
        } else if isOpen, arguments.spread == nil, arguments.named.isEmpty {
            arguments.positional.append(try expression())
        } else {
            throw syntax("this argument may not stand here")
        }
    }
}

/// Filters and tests.
extension TemplateParser {
    /// Parses filters, tests and calls after an operand.
    mutating func filters(_ operand: Expression) throws(TemplateError) -> Expression {
        var result = operand
        while true {
            if isAt(.pipe) {
                advance()
                result = try filter(result)
            } else if isAt("is") {
                result = try test(result)
            } else if isAt(.openParenthesis) {
                let line = line
                let arguments = try arguments()
                result = try make(.call(result, arguments), line: line, over: [result] + arguments.all)
            } else {
                return result
            }
        }
    }

    /// Parses one filter from its name on. It is applied to `input`, or to a block if that is `nil`.
    mutating func filter(_ input: Expression?) throws(TemplateError) -> Expression {
        let line = line
        let name = try dottedName()
        let arguments = isAt(.openParenthesis) ? try arguments() : Arguments()
        let use = FilterUse(name: name, filter: FilterName(spelling: name), arguments: arguments)
        return try make(.filter(input, use), line: line, over: (input.map { [$0] } ?? []) + arguments.all)
    }

    /// Parses the filters of a block; `nil`: there are none.
    mutating func blockFilters(startsInline: Bool) throws(TemplateError) -> Expression? {
        var result: Expression? = startsInline ? try filter(nil) : nil
        while skip(.pipe) { result = try filter(result) }
        return result
    }

    private mutating func dottedName() throws(TemplateError) -> String {
        var name = try expectName()
        while skip(.dot) { name += "." + (try expectName()) }
        return name
    }

    private mutating func test(_ operand: Expression) throws(TemplateError) -> Expression {
        let line = line
        advance()
        let isNegated = skip("not")
        let name = try dottedName()
        var arguments = Arguments()
        if isAt(.openParenthesis) {
            arguments = try self.arguments()
        } else if beginsTestArgument {
            if isAt("is") { throw syntax("tests cannot follow one another") }
            arguments.positional = [
                try nested { (parser) throws(TemplateError) in try parser.postfix(try parser.primary()) }
            ]
        }
        let use = TestUse(name: name, test: TestName(spelling: name), arguments: arguments)
        let result = try make(.test(operand, use), line: line, over: [operand] + arguments.all)
        return isNegated ? try make(.unary(.not, result), line: line, over: [result]) : result
    }

    private var beginsTestArgument: Bool {
        switch current.kind {
        case .name("else"), .name("or"), .name("and"): false
        case .name, .string, .integer, .bigInteger, .float, .symbol(.openBracket), .symbol(.openBrace): true
        default: false
        }
    }
}
