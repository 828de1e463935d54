extension TemplateParser {
    /// A name, a literal, or something in brackets.
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

    /// The values that names cannot be used for.
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

    /// What follows an operand: attributes, subscripts and calls.
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

    /// What a call is given, parentheses included.
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
