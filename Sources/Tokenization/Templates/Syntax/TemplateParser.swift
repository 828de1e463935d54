/// Reads tokens into statements. Names and scopes get numbers; `NameResolver` says what they stand for.
struct TemplateParser {
    let tokens: [TemplateToken]
    var index = 0
    /// Each use of a name, in the order of the text.
    var names: [(name: String, line: Int)] = []
    var scopeCount = 1
    /// How many loops of the same body enclose what is read, for `break` and `continue`.
    var loopDepth = 0
    /// Which of the names that macros get without declaring them were used since the innermost macro began.
    var specialNames: Set<String> = []
    /// The names of the blocks so far.
    var blockNames: Set<String> = []
    private var nesting = 0

    /// More than any template nests; less than a thread's stack holds.
    static let maximumNesting = 100
    /// The most different names that a template may use.
    static let maximumNames = 1000
    /// The most that expressions may nest, operators in a row counting as nested.
    static let maximumHeight = 200

    init(_ source: String) throws(TemplateError) { tokens = try TemplateLexer.tokens(of: source) }

    /// The whole template.
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

    func unexpected(_ wanted: String) -> TemplateError {
        syntax("expected \(wanted), found \(current.description)")
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

    mutating func expect(_ kind: TemplateToken.Kind, _ wanted: String) throws(TemplateError) {
        guard current.kind == kind else { throw unexpected("'\(wanted)'") }
        advance()
    }

    mutating func expectName() throws(TemplateError) -> String {
        guard case .name(let name) = current.kind else { throw unexpected("a name") }
        advance()
        return name
    }

    /// Does `read` one level deeper.
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

    /// The number of one use of `name`.
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
