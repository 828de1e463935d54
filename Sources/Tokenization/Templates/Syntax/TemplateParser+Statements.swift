extension TemplateParser {
    /// The statements up to a tag of one of these names, which stays; without names up to the template's end.
    mutating func statements(until ends: [String]) throws(TemplateError) -> [Statement] {
        try nested { (parser) throws(TemplateError) in
            var body: [Statement] = []
            while parser.current.kind != .end {
                switch parser.current.kind {
                case .data(let text):
                    body.append(.text(text))
                    parser.advance()
                case .variableBegin:
                    parser.advance()
                    body.append(.output(try parser.tuple()))
                    try parser.expect(.variableEnd, "}}")
                default:
                    parser.advance()
                    if case .name(let name) = parser.current.kind, ends.contains(name) { return body }
                    body += try parser.statement()
                    try parser.expect(.blockEnd, "%}")
                }
            }
            guard ends.isEmpty else { throw parser.unexpected("'\(ends.joined(separator: "' or '"))'") }
            return body
        }
    }

    /// The body of a tag, from the end of the tag on.
    mutating func body(until ends: String...) throws(TemplateError) -> [Statement] {
        _ = skip(.colon)
        try expect(.blockEnd, "%}")
        return try statements(until: ends)
    }

    /// As `body`, and past the name of the tag that ends it.
    mutating func wholeBody(until end: String) throws(TemplateError) -> [Statement] {
        let body = try body(until: end)
        advance()
        return body
    }

    private mutating func statement() throws(TemplateError) -> [Statement] {
        guard case .name(let tag) = current.kind else { throw unexpected("the name of a tag") }
        let line = line
        switch tag {
        case "if": return [try conditional()]
        case "for": return [try loop()]
        case "set": return [try assignment()]
        case "macro": return [try macro()]
        case "call": return [try callBlock()]
        case "with": return [try with()]
        case "filter":
            advance()
            guard let filter = try blockFilters(startsInline: true) else { throw unexpected("a filter") }
            return [.filterBlock(filter, body: try wholeBody(until: "endfilter"), scope: newScope())]
        case "generation":
            advance()
            let body = try outsideLoops { (parser) throws(TemplateError) in
                try parser.wholeBody(until: "endgeneration")
            }
            return [.generation(body: body, scope: newScope())]
        case "print":
            advance()
            var outputs: [Statement] = []
            while current.kind != .blockEnd {
                if !outputs.isEmpty { try expect(.comma) }
                outputs.append(.output(try expression()))
            }
            return outputs
        case "break", "continue":
            guard loopDepth > 0 else { throw syntax("'\(tag)' outside a loop") }
            advance()
            return [tag == "break" ? .leave : .proceed]
        case "block": return [try block()]
        case "extends", "include", "import", "from", "autoescape":
            throw .syntax(line: line, reason: "the tag '\(tag)' is not supported")
        default: throw .syntax(line: line, reason: "unknown tag '\(tag)'")
        }
    }

    /// Reads what is a function of its own, in which an enclosing loop cannot be left.
    mutating func outsideLoops<Result>(
        _ read: (inout TemplateParser) throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        let depth = loopDepth
        loopDepth = 0
        defer { loopDepth = depth }
        return try read(&self)
    }

    private mutating func conditional() throws(TemplateError) -> Statement {
        var branches: [(test: Expression, body: [Statement])] = []
        while true {
            advance()
            let test = try tuple(allowsConditional: false)
            branches.append((test, try body(until: "elif", "else", "endif")))
            if isAt("elif") { continue }
            let hasElse = skip("else")
            if !hasElse { advance() }
            return .conditional(branches, otherwise: hasElse ? try wholeBody(until: "endif") : [])
        }
    }

    private mutating func assignment() throws(TemplateError) -> Statement {
        let line = line
        advance()
        let target = try target(allowsNamespace: true)
        if skip(.assign) { return .set(target, try tuple(), line: line) }
        let filter = try blockFilters(startsInline: false)
        let body = try wholeBody(until: "endset")
        return .setBlock(target, filter: filter, body: body, scope: newScope(), line: line)
    }

    private mutating func with() throws(TemplateError) -> Statement {
        advance()
        var assignments: [(target: Target, value: Expression)] = []
        while current.kind != .blockEnd {
            if !assignments.isEmpty { try expect(.comma) }
            let target = try target(allowsNamespace: false)
            try expect(.assign)
            assignments.append((target, try expression()))
        }
        return .with(assignments, body: try wholeBody(until: "endwith"), scope: newScope())
    }
}
