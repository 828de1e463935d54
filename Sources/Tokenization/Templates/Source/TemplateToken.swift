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

    /// How it is called in messages.
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

    /// The longest symbol that `bytes` begin with.
    static func prefix(of bytes: ArraySlice<UInt8>) -> Symbol? {
        for length in [2, 1] where bytes.count >= length {
            let text = String(decoding: bytes.prefix(length), as: UTF8.self)
            if let symbol = Symbol(rawValue: text) { return symbol }
        }
        return nil
    }

    /// What closes it.
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
