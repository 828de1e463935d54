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
