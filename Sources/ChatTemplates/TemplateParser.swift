/// Parses tokens into statements. Uses of names and scopes get numbers, which `NameResolver` resolves.
struct TemplateParser {
    let tokens: [TemplateToken]
    var index = 0
    /// Each use of a name, in source order.
    var names: [(name: String, line: Int)] = []
    var scopeCount = 1
    /// The number of enclosing loops that `break` and `continue` can refer to.
    var loopDepth = 0
    /// Which of `caller`, `kwargs` and `varargs` were used since the innermost macro began.
    var specialNames: Set<String> = []
    /// The names of the blocks so far.
    var blockNames: Set<String> = []
    private var nesting = 0

    /// Maximum nesting of source: more than any template needs, less than a thread's stack can hold.
    static let maximumNesting = 100
    /// Maximum number of different names in a template.
    static let maximumNames = 1000
    /// Maximum nesting of an expression; operators in a row count as nested.
    static let maximumHeight = 200

    init(_ source: String) throws(TemplateError) { tokens = try TemplateLexer.tokens(of: source) }

    /// Parses the whole template.
    mutating func parse() throws(TemplateError) -> [Statement] {
        let body = try statements(until: [])
        guard Set(names.lazy.map(\.name)).count <= Self.maximumNames else {
            throw .limit(line: line, reason: "uses more than \(Self.maximumNames) names")
        }
        return body
    }

    var current: TemplateToken { tokens[index] }
    var following: TemplateToken { tokens[min(index + 1, tokens.count - 1)] }
    var line: Int { current.line }

    func syntax(_ reason: String) -> TemplateError { .syntax(line: line, reason: reason) }

    func unexpected(_ expected: String) -> TemplateError {
        syntax("expected \(expected), found \(current.description)")
    }

    mutating func advance() { if index < tokens.count - 1 { index += 1 } }

    func isAt(_ symbol: Symbol) -> Bool { current.kind == .symbol(symbol) }

    func isAt(_ name: String) -> Bool { current.kind == .name(name) }

    mutating func skip(_ symbol: Symbol) -> Bool {
        guard isAt(symbol) else { return false }
        advance()
        return true
    }

    mutating func skip(_ name: String) -> Bool {
        guard isAt(name) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: Symbol) throws(TemplateError) {
        guard skip(symbol) else { throw unexpected("'\(symbol.rawValue)'") }
    }

    mutating func expect(_ kind: TemplateToken.Kind, _ expected: String) throws(TemplateError) {
        guard current.kind == kind else { throw unexpected("'\(expected)'") }
        advance()
    }

    mutating func expectName() throws(TemplateError) -> String {
        guard case .name(let name) = current.kind else { throw unexpected("a name") }
        advance()
        return name
    }

    /// Runs `read` one level deeper; throws when the nesting exceeds the limit.
    mutating func nested<Result>(
        _ read: (inout TemplateParser) throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.maximumNesting else {
            throw .limit(line: line, reason: "nested more than \(Self.maximumNesting) deep")
        }
        return try read(&self)
    }

    /// Registers a use of `name`; returns its number.
    mutating func use(_ name: String, line: Int) -> Int {
        if ["caller", "kwargs", "varargs"].contains(name) { specialNames.insert(name) }
        names.append((name, line))
        return names.count - 1
    }

    mutating func newScope() -> Int {
        defer { scopeCount += 1 }
        return scopeCount
    }

    func make(_ node: Expression.Node, line: Int, over parts: [Expression] = []) throws(TemplateError) -> Expression {
        let height = (parts.lazy.map(\.height).max() ?? 0) + 1
        guard height <= Self.maximumHeight else {
            throw .limit(line: line, reason: "an expression nests more than \(Self.maximumHeight) deep")
        }
        return Expression(node: node, line: line, height: height)
    }
}

/// Tags and their bodies.
extension TemplateParser {
    /// Parses statements up to a tag named in `ends`, which is not consumed; if `ends` is empty, up to the template's
    /// end.
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

    /// Parses the end of a tag and its body.
    mutating func body(until ends: String...) throws(TemplateError) -> [Statement] {
        _ = skip(.colon)
        try expect(.blockEnd, "%}")
        return try statements(until: ends)
    }

    /// Parses the end of a tag, its body, and the name of the tag that ends the body.
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
            return [tag == "break" ? .break : .continue]
        case "block": return [try block()]
        case "extends", "include", "import", "from", "autoescape":
            throw .syntax(line: line, reason: "the tag '\(tag)' is not supported")
        default: throw .syntax(line: line, reason: "unknown tag '\(tag)'")
        }
    }

    /// Runs `read` for code that `break` and `continue` of an enclosing loop cannot leave, such as the body of a macro.
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

/// Targets, loops, macros and blocks.
extension TemplateParser {
    /// Parses the target of an assignment: a name, an attribute of a namespace, or several of them separated by commas.
    mutating func target(allowsNamespace: Bool) throws(TemplateError) -> Target {
        var parts: [Target] = []
        var isTuple = false
        while true {
            switch current.kind {
            case .blockEnd, .variableEnd, .symbol(.closeParenthesis): break
            default:
                parts.append(try singleTarget(allowsNamespace: allowsNamespace))
                if skip(.comma) {
                    isTuple = true
                    continue
                }
            }
            break
        }
        if !isTuple, let only = parts.first { return only }
        guard isTuple else { throw unexpected("a name") }
        return .tuple(parts)
    }

    private mutating func singleTarget(allowsNamespace: Bool) throws(TemplateError) -> Target {
        let line = line
        if skip(.openParenthesis) {
            let inner = try nested { (parser) throws(TemplateError) in
                try parser.target(allowsNamespace: allowsNamespace)
            }
            try expect(.closeParenthesis)
            return inner
        }
        let name = try expectName()
        guard Self.literal(name) == nil else { throw .syntax(line: line, reason: "'\(name)' cannot be set") }
        if allowsNamespace, skip(.dot) {
            let attribute = Text(try expectName())
            return .namespaceAttribute(name: use(name, line: line), attribute: attribute)
        }
        return .name(use(name, line: line))
    }

    mutating func loop() throws(TemplateError) -> Statement {
        let line = line
        advance()
        let target = try target(allowsNamespace: false)
        guard skip("in") else { throw unexpected("'in'") }
        let sequence = try tuple(allowsConditional: false)
        var filter: (target: Target, test: Expression, scope: Int)?
        if skip("if") { filter = (again(target), try expression(), newScope()) }
        let isRecursive = skip("recursive")
        let loopName = use("loop", line: line)
        loopDepth += 1
        let body = try body(until: "endfor", "else")
        loopDepth -= 1
        let hasElse = isAt("else")
        advance()
        // A recursive loop can be called like a function, so `break` in it cannot leave the loop around it.
        let depth = loopDepth
        if isRecursive { loopDepth = 0 }
        let otherwise = hasElse ? try wholeBody(until: "endfor") : []
        loopDepth = depth
        return .loop(
            Loop(
                line: line, target: target, loopName: loopName, sequence: sequence, filter: filter, body: body,
                scope: newScope(), isRecursive: isRecursive, otherwise: otherwise, otherwiseScope: newScope()))
    }

    /// A copy of a target whose names are registered as new uses.
    private mutating func again(_ target: Target) -> Target {
        switch target {
        case .name(let name): return .name(use(names[name].name, line: names[name].line))
        case .namespaceAttribute: return target
        case .tuple(let parts):
            var copies: [Target] = []
            for part in parts { copies.append(again(part)) }
            return .tuple(copies)
        }
    }

    mutating func macro() throws(TemplateError) -> Statement {
        let line = line
        advance()
        let name = try expectName()
        guard Self.literal(name) == nil else { throw syntax("'\(name)' cannot be set") }
        let variable = use(name, line: line)
        let parameters = try signature()
        return .macro(name: variable, try declaration(name, line, parameters, end: "endmacro"))
    }

    mutating func block() throws(TemplateError) -> Statement {
        advance()
        let name = try expectName()
        guard blockNames.insert(name).inserted else { throw syntax("block '\(name)' defined twice") }
        let isScoped = skip("scoped")
        guard !isAt("required") else { throw syntax("required blocks are not supported") }
        let body = try outsideLoops { (parser) throws(TemplateError) in try parser.wholeBody(until: "endblock") }
        _ = skip(name)
        return .block(body: body, scope: newScope(), isScoped: isScoped)
    }

    mutating func callBlock() throws(TemplateError) -> Statement {
        let line = line
        advance()
        let parameters = isAt(.openParenthesis) ? try signature() : []
        let call = try expression()
        guard case .call = call.node else { throw .syntax(line: line, reason: "expected a call") }
        return .call(call, try declaration("caller", line, parameters, end: "endcall"))
    }

    private typealias Parameter = (name: String, variable: Int, defaultValue: Expression?)

    private mutating func signature() throws(TemplateError) -> [Parameter] {
        try expect(.openParenthesis)
        var parameters: [Parameter] = []
        while !isAt(.closeParenthesis) {
            if !parameters.isEmpty { try expect(.comma) }
            let line = line
            let name = try expectName()
            guard Self.literal(name) == nil, !parameters.contains(where: { $0.name == name }) else {
                throw .syntax(line: line, reason: "'\(name)' cannot be a parameter here")
            }
            let variable = use(name, line: line)
            let defaultValue = skip(.assign) ? try expression() : nil
            guard defaultValue != nil || parameters.last?.defaultValue == nil else {
                throw .syntax(
                    line: line, reason: "the parameter '\(name)' needs a default, as the one before it has one")
            }
            parameters.append((name, variable, defaultValue))
        }
        try expect(.closeParenthesis)
        return parameters
    }

    private mutating func declaration(
        _ name: String, _ line: Int, _ parameters: [Parameter], end: String
    ) throws(TemplateError) -> MacroDeclaration {
        let outer = specialNames
        specialNames = []
        let body = try outsideLoops { (parser) throws(TemplateError) in try parser.wholeBody(until: end) }
        let used = specialNames.subtracting(parameters.map(\.name))
        specialNames = outer.union(specialNames)
        return MacroDeclaration(
            name: name, line: line, parameters: parameters, body: body, scope: newScope(),
            caller: used.contains("caller") ? use("caller", line: line) : nil,
            keywords: used.contains("kwargs") ? use("kwargs", line: line) : nil,
            rest: used.contains("varargs") ? use("varargs", line: line) : nil)
    }
}
