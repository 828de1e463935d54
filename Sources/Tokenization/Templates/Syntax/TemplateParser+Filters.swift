extension TemplateParser {
    /// Filters, tests and calls that follow an operand.
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

    /// One filter, from its name on, applied to `input`; `nil`: to a block.
    mutating func filter(_ input: Expression?) throws(TemplateError) -> Expression {
        let line = line
        let name = try dottedName()
        let arguments = isAt(.openParenthesis) ? try arguments() : Arguments()
        let use = FilterUse(name: name, filter: FilterName(spelling: name), arguments: arguments)
        return try make(.filter(input, use), line: line, over: (input.map { [$0] } ?? []) + arguments.all)
    }

    /// Filters in a row, applied to a block; `nil`: there are none.
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
