/// A statement of a template. `scope` numbers the names that its body may set.
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
    /// Written where it stands; one that is not scoped sees the template's own variables, and none of what is around it.
    case block(body: [Statement], scope: Int, isScoped: Bool)
    case leave
    case proceed
}

/// What a value is assigned to. Names are numbers among the names that the template uses.
indirect enum Target: Sendable {
    case name(Int)
    case namespaceAttribute(name: Int, attribute: Text)
    case tuple([Target])

    /// How many targets are nested, counting this one.
    var height: Int {
        if case .tuple(let targets) = self { (targets.map(\.height).max() ?? 0) + 1 } else { 1 }
    }
}

/// A `for` loop. Its three parts have a scope each.
struct Loop: Sendable {
    let line: Int
    let target: Target
    /// The name `loop` in the body's scope.
    let loopName: Int
    let sequence: Expression
    /// The target again, as the filter's scope has it, and the filter.
    let filter: (target: Target, test: Expression, scope: Int)?
    let body: [Statement]
    let scope: Int
    /// Whether `loop` may be called with other elements.
    let isRecursive: Bool
    let otherwise: [Statement]
    let otherwiseScope: Int
}

/// A macro, or the block that `call` hands to one.
struct MacroDeclaration: Sendable {
    let name: String
    let line: Int
    let parameters: [(name: String, place: Int, defaultValue: Expression?)]
    let body: [Statement]
    let scope: Int
    /// Uses of the three names that a macro gets without declaring them, if its body uses them.
    let caller: Int?
    let keywords: Int?
    let rest: Int?
}
