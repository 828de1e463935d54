/// A piece of a template: text between tags, or a word of an expression.
struct TemplateToken: Equatable {
    enum Kind: Equatable {
        case data(Text)
        case variableBegin, variableEnd, blockBegin, blockEnd
        case name(String)
        case string(Text)
        case integer(Int)
        case bigInteger(BigInteger)
        case float(Double)
        case symbol(Symbol)
        case end
    }
    let kind: Kind
    let line: Int

    /// The token's name in error messages.
    var description: String {
        switch kind {
        case .data: "text"
        case .variableBegin: "{{"
        case .variableEnd: "}}"
        case .blockBegin: "{%"
        case .blockEnd: "%}"
        case .name(let name): name
        case .string: "a string"
        case .integer(let value): String(value)
        case .bigInteger(let value): value.text()
        case .float(let value): String(value)
        case .symbol(let symbol): symbol.rawValue
        case .end: "the end of the template"
        }
    }
}

/// The operators and brackets of expressions.
enum Symbol: String, CaseIterable, Sendable {
    case add = "+", subtract = "-", multiply = "*", divide = "/", floorDivide = "//", modulo = "%", power = "**"
    case tilde = "~", assign = "=", equal = "==", notEqual = "!="
    case less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
    case pipe = "|", dot = ".", comma = ",", colon = ":", semicolon = ";"
    case openParenthesis = "(", closeParenthesis = ")"
    case openBracket = "[", closeBracket = "]"
    case openBrace = "{", closeBrace = "}"

    /// The longest symbol at the start of `bytes`; `nil`: there is none.
    static func prefix(of bytes: ArraySlice<UInt8>) -> Symbol? {
        for length in [2, 1] where bytes.count >= length {
            let text = String(decoding: bytes.prefix(length), as: UTF8.self)
            if let symbol = Symbol(rawValue: text) { return symbol }
        }
        return nil
    }

    /// The closing bracket of an opening one.
    var closing: Symbol? {
        switch self {
        case .openParenthesis: .closeParenthesis
        case .openBracket: .closeBracket
        case .openBrace: .closeBrace
        default: nil
        }
    }

    var isClosing: Bool { [.closeParenthesis, .closeBracket, .closeBrace].contains(self) }
}

/// An expression of a template.
struct Expression: Sendable {
    indirect enum Node: Sendable {
        case literal(Literal)
        /// A use of a name, by its number.
        case name(Int)
        case list([Expression])
        case tuple([Expression])
        case dictionary([(key: Expression, value: Expression)])
        case unary(UnaryOperator, Expression)
        case arithmetic(ArithmeticOperator, Expression, Expression)
        case concatenation([Expression])
        case and(Expression, Expression)
        case or(Expression, Expression)
        case comparison(Expression, [(ComparisonOperator, Expression)])
        case conditional(test: Expression, then: Expression, otherwise: Expression?)
        case attribute(Expression, AttributeName)
        case item(Expression, Expression)
        case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
        case call(Expression, Arguments)
        /// A filter; without an input it is applied to a block.
        case filter(Expression?, FilterUse)
        case test(Expression, TestUse)
    }
    let node: Node
    let line: Int
    /// The nesting of the expression.
    let height: Int
}

/// A literal value.
enum Literal: Sendable {
    case none, bool(Bool), int(Int), bigInteger(BigInteger), double(Double), text(Text)
}

/// A name after a dot, and the method of that name if there is one.
struct AttributeName: Sendable {
    let text: Text
    let method: MethodName?
    init(_ text: Text) {
        self.text = text
        method = MethodName(rawValue: text.string)
    }
}

enum UnaryOperator: Sendable { case not, minus, plus }

enum ArithmeticOperator: String, Sendable {
    case add = "+", subtract = "-", multiply = "*", divide = "/", floorDivide = "//", modulo = "%", power = "**"
}

enum ComparisonOperator: String, Sendable {
    case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
    case `in`
    case notIn = "not in"
}

/// The argument expressions of a call.
struct Arguments: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
    var spread: Expression?
    var namedSpread: Expression?

    var all: [Expression] { positional + named.map(\.value) + [spread, namedSpread].compactMap { $0 } }
}

/// A use of a filter. `filter` is `nil` if no filter has this name; that is an error only where the filter runs.
struct FilterUse: Sendable {
    let name: String
    let filter: FilterName?
    let arguments: Arguments
}

/// A use of a test. `test` is `nil` if no test has this name.
struct TestUse: Sendable {
    let name: String
    let test: TestName?
    let arguments: Arguments
}

extension Expression {
    /// The direct subexpressions, in source order.
    var parts: [Expression] {
        switch node {
        case .literal, .name: []
        case .list(let parts), .tuple(let parts), .concatenation(let parts): parts
        case .dictionary(let entries): entries.flatMap { [$0.key, $0.value] }
        case .unary(_, let operand), .attribute(let operand, _): [operand]
        case .arithmetic(_, let left, let right), .and(let left, let right), .or(let left, let right),
            .item(let left, let right):
            [left, right]
        case .comparison(let first, let others): [first] + others.map(\.1)
        case .conditional(let test, let then, let otherwise): [test, then] + (otherwise.map { [$0] } ?? [])
        case .slice(let object, let start, let stop, let step): [object] + [start, stop, step].compactMap { $0 }
        case .call(let callee, let arguments): [callee] + arguments.all
        case .filter(let input, let use): (input.map { [$0] } ?? []) + use.arguments.all
        case .test(let operand, let use): [operand] + use.arguments.all
        }
    }
}

/// A statement of a template. `scope` is the number of its body's scope.
indirect enum Statement: Sendable {
    case text(Text)
    case output(Expression)
    case conditional([(test: Expression, body: [Statement])], otherwise: [Statement])
    case loop(Loop)
    case set(Target, Expression, line: Int)
    case setBlock(Target, filter: Expression?, body: [Statement], scope: Int, line: Int)
    case macro(name: Int, MacroDeclaration)
    case call(Expression, MacroDeclaration)
    case filterBlock(Expression, body: [Statement], scope: Int)
    case with([(target: Target, value: Expression)], body: [Statement], scope: Int)
    case generation(body: [Statement], scope: Int)
    /// A named block, which is rendered in place. Without `scoped` it sees only the variables of the whole template.
    case block(body: [Statement], scope: Int, isScoped: Bool)
    case `break`
    case `continue`
}

/// The target of an assignment. Names are numbers of uses of names.
indirect enum Target: Sendable {
    case name(Int)
    case namespaceAttribute(name: Int, attribute: Text)
    case tuple([Target])

    /// The nesting of tuples, counting this target.
    var height: Int {
        if case .tuple(let targets) = self { (targets.map(\.height).max() ?? 0) + 1 } else { 1 }
    }
}

/// A `for` loop. Its body, its filter and its `else` have a scope each.
struct Loop: Sendable {
    let line: Int
    let target: Target
    /// The name `loop` in the body's scope.
    let loopName: Int
    let sequence: Expression
    /// The target in the filter's scope, the condition, and that scope.
    let filter: (target: Target, test: Expression, scope: Int)?
    let body: [Statement]
    let scope: Int
    /// Whether the body may call `loop` with other elements.
    let isRecursive: Bool
    let otherwise: [Statement]
    let otherwiseScope: Int
}

/// A macro, or the block that `call` passes to one.
struct MacroDeclaration: Sendable {
    let name: String
    let line: Int
    let parameters: [(name: String, variable: Int, defaultValue: Expression?)]
    let body: [Statement]
    let scope: Int
    /// The uses of `caller`, `kwargs` and `varargs`, which every macro has; `nil`: the body does not use the name.
    let caller: Int?
    let keywords: Int?
    let rest: Int?
}
