/// An expression of a template.
struct Expression: Sendable {
    indirect enum Node: Sendable {
        case literal(Literal)
        /// A name, by its number among the names that the template uses.
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
        /// No input: a filter that is applied to a block.
        case filter(Expression?, FilterUse)
        case test(Expression, TestUse)
    }
    let node: Node
    let line: Int
    /// How deeply it nests.
    let height: Int
}

/// A value that is written out.
enum Literal: Sendable {
    case none, bool(Bool), int(Int), bigInteger(BigInteger), double(Double), text(Text)
}

/// A name after a dot, and the method that it may name.
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

/// What a call is given.
struct Arguments: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
    var spread: Expression?
    var namedSpread: Expression?

    var all: [Expression] { positional + named.map(\.value) + [spread, namedSpread].compactMap { $0 } }
}

/// A filter as it is used; `nil`: there is none of that name, which matters only where it is reached.
struct FilterUse: Sendable {
    let name: String
    let filter: FilterName?
    let arguments: Arguments
}

/// A test as it is used.
struct TestUse: Sendable {
    let name: String
    let test: TestName?
    let arguments: Arguments
}
