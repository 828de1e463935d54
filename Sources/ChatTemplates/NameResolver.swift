/// Resolves each use of a name to a variable of a scope, and determines the initial values of each scope's variables.
struct NameResolver {
    private let names: [(name: String, line: Int)]
    private(set) var locations: [VariableLocation]
    private(set) var layouts: [ScopeLayout]
    /// Whether the visited code is inside a condition. An unknown filter there is an error only when it runs, as in
    /// Jinja.
    private var isConditional = false
    /// The scope of the whole template.
    private var root: NameScope?

    init(_ parser: TemplateParser) {
        names = parser.names
        locations = Array(repeating: VariableLocation(hops: 0, index: 0), count: parser.names.count)
        layouts = Array(repeating: ScopeLayout(), count: parser.scopeCount)
    }

    /// Resolves a whole template; its scope has the number 0.
    mutating func resolve(_ body: [Statement]) throws(TemplateError) {
        try inScope(0, parent: nil) { (_, collector) in
            collector.collect(body)
        } then: { (resolver, scope) throws(TemplateError) in
            try resolver.visit(body, scope)
        }
    }

    /// Collects the names of a scope, then resolves its contents.
    private mutating func inScope(
        _ number: Int, parent: NameScope?, _ collect: (NameScope, inout NameCollector) -> Void,
        then visit: (inout NameResolver, NameScope) throws(TemplateError) -> Void
    ) throws(TemplateError) {
        let scope = NameScope(parent: parent)
        if number == 0 { root = scope }
        var collector = NameCollector(scope, names)
        collect(scope, &collector)
        layouts[number] = scope.layout
        let outer = isConditional
        isConditional = false
        defer { isConditional = outer }
        try visit(&self, scope)
    }

    private mutating func inScope(_ number: Int, _ parent: NameScope, body: [Statement]) throws(TemplateError) {
        try inScope(number, parent: parent) { (_, collector) in
            collector.collect(body)
        } then: { (resolver, scope) throws(TemplateError) in
            try resolver.visit(body, scope)
        }
    }

    private mutating func location(_ use: Int, _ scope: NameScope) throws(TemplateError) {
        guard let location = scope.location(of: names[use].name) else {
            throw .syntax(line: names[use].line, reason: "'\(names[use].name)' cannot be used here")
        }
        locations[use] = location
    }

    private mutating func visit(_ body: [Statement], _ scope: NameScope) throws(TemplateError) {
        for statement in body { try visit(statement, scope) }
    }

    private mutating func visit(_ statement: Statement, _ scope: NameScope) throws(TemplateError) {
        switch statement {
        case .text, .break, .continue: break
        case .output(let expression): try visit(expression, scope)
        case .conditional(let branches, let otherwise):
            let outer = isConditional
            isConditional = true
            defer { isConditional = outer }
            for branch in branches {
                try visit(branch.test, scope)
                try visit(branch.body, scope)
            }
            try visit(otherwise, scope)
        case .loop(let loop): try visit(loop, scope)
        case .set(let target, let value, _):
            try visit(value, scope)
            try visit(target, scope)
        case .setBlock(let target, let filter, let body, let number, _):
            try visit(target, scope)
            try inScope(number, parent: scope) { (_, collector) in
                collector.collect(body)
                if let filter { collector.collect(filter) }
            } then: { (resolver, scope) throws(TemplateError) in
                try resolver.visit(body, scope)
                if let filter { try resolver.visit(filter, scope) }
            }
        case .macro(let name, let declaration):
            try location(name, scope)
            try visit(declaration, scope)
        case .call(let call, let declaration):
            try visit(call, scope)
            try visit(declaration, scope)
        case .filterBlock(let filter, let body, let number):
            try inScope(number, parent: scope) { (_, collector) in
                collector.collect(body)
                collector.collect(filter)
            } then: { (resolver, scope) throws(TemplateError) in
                try resolver.visit(body, scope)
                try resolver.visit(filter, scope)
            }
        case .with(let assignments, let body, let number):
            for assignment in assignments { try visit(assignment.value, scope) }
            try inScope(number, parent: scope) { (_, collector) in
                for assignment in assignments { collector.declare(assignment.target) }
                collector.collect(body)
            } then: { (resolver, scope) throws(TemplateError) in
                for assignment in assignments { try resolver.visit(assignment.target, scope) }
                try resolver.visit(body, scope)
            }
        case .generation(let body, let number): try inScope(number, scope, body: body)
        case .block(let body, let number, let isScoped):
            try inScope(number, isScoped ? scope : root ?? scope, body: body)
        }
    }

    private mutating func visit(_ loop: Loop, _ scope: NameScope) throws(TemplateError) {
        try visit(loop.sequence, scope)
        if let filter = loop.filter {
            try inScope(filter.scope, parent: scope) { (_, collector) in
                collector.declare(filter.target)
                collector.collect(filter.test)
            } then: { (resolver, scope) throws(TemplateError) in
                try resolver.visit(filter.target, scope)
                try resolver.visit(filter.test, scope)
            }
        }
        try inScope(loop.scope, parent: scope) { (scope, collector) in
            scope.declare("loop")
            collector.declare(loop.target)
            collector.collect(loop.body)
        } then: { (resolver, scope) throws(TemplateError) in
            try resolver.location(loop.loopName, scope)
            try resolver.visit(loop.target, scope)
            try resolver.visit(loop.body, scope)
        }
        try inScope(loop.otherwiseScope, scope, body: loop.otherwise)
    }

    private mutating func visit(_ declaration: MacroDeclaration, _ scope: NameScope) throws(TemplateError) {
        try inScope(declaration.scope, parent: scope) { (scope, collector) in
            for parameter in declaration.parameters { scope.declare(parameter.name) }
            for parameter in declaration.parameters { parameter.defaultValue.map { collector.collect($0) } }
            collector.collect(declaration.body)
            if declaration.caller != nil { scope.declare("caller") }
            if declaration.keywords != nil { scope.declare("kwargs") }
            if declaration.rest != nil { scope.declare("varargs") }
        } then: { (resolver, scope) throws(TemplateError) in
            for parameter in declaration.parameters {
                try resolver.location(parameter.variable, scope)
                if let value = parameter.defaultValue { try resolver.visit(value, scope) }
            }
            for use in [declaration.caller, declaration.keywords, declaration.rest] {
                if let use { try resolver.location(use, scope) }
            }
            try resolver.visit(declaration.body, scope)
        }
    }

    private mutating func visit(_ target: Target, _ scope: NameScope) throws(TemplateError) {
        switch target {
        case .name(let name), .namespaceAttribute(let name, _): try location(name, scope)
        case .tuple(let targets): for target in targets { try visit(target, scope) }
        }
    }

    private mutating func visit(_ expression: Expression, _ scope: NameScope) throws(TemplateError) {
        switch expression.node {
        case .name(let name): try location(name, scope)
        case .conditional:
            let outer = isConditional
            isConditional = true
            defer { isConditional = outer }
            for part in expression.parts { try visit(part, scope) }
            return
        case .filter(_, let use) where use.filter == nil && !isConditional:
            throw .syntax(line: expression.line, reason: "no filter named '\(use.name)'")
        case .test(_, let use) where use.test == nil && !isConditional:
            throw .syntax(line: expression.line, reason: "no test named '\(use.name)'")
        default: break
        }
        for part in expression.parts { try visit(part, scope) }
    }
}

/// The location of a variable: its scope, counted outward from the current one, and its index in that scope.
struct VariableLocation: Sendable {
    let hops: Int
    let index: Int
}

/// The variables of a scope and their initial values.
struct ScopeLayout: Sendable {
    enum Initial: Sendable {
        /// The caller sets it when it enters the scope.
        case parameter
        case undefined
        /// The value that the caller of the template passes under this name.
        case given(Text)
        /// A copy of a variable of an enclosing scope; setting it here does not change that variable.
        case outer(VariableLocation)
    }
    var variables: [Initial] = []
}

/// The names of a scope while they are being resolved.
///
/// Jinja decides before a template runs which scope each name belongs to, and chat templates rely on that: a variable
/// that is set inside a loop is gone after the loop, one that is set inside an `if` stays.
final class NameScope {
    enum Load {
        case parameter, undefined, resolve
        case outer(NameScope)
    }

    /// The known reads and writes of names; each branch of an `if` works on a copy.
    struct Symbols {
        var loads: [String: Load] = [:]
        var stores: Set<String> = []
    }

    let parent: NameScope?
    var symbols = Symbols()
    private(set) var indices: [String: Int] = [:]

    init(parent: NameScope?) { self.parent = parent }

    private func define(_ name: String, _ load: Load) {
        symbols.loads[name] = load
        if indices[name] == nil { indices[name] = indices.count }
    }

    /// The innermost scope that knows `name`.
    func owner(of name: String) -> NameScope? {
        var scope: NameScope? = self
        while let candidate = scope, candidate.symbols.loads[name] == nil { scope = candidate.parent }
        return scope
    }

    func declare(_ name: String) {
        symbols.stores.insert(name)
        define(name, .parameter)
    }

    func load(_ name: String) {
        if owner(of: name) == nil { define(name, .resolve) }
    }

    func store(_ name: String) {
        symbols.stores.insert(name)
        guard symbols.loads[name] == nil else { return }
        define(name, parent?.owner(of: name).map { .outer($0) } ?? .undefined)
    }

    /// Joins the symbols of branches: a name that only some of them set keeps its outer value in the others.
    func join(_ branches: [Symbols]) {
        let stores = branches.reduce(into: Set<String>()) { $0.formUnion($1.stores) }.subtracting(symbols.stores)
        for branch in branches {
            symbols.loads.merge(branch.loads) { $1 }
            symbols.stores.formUnion(branch.stores)
        }
        for name in stores {
            symbols.loads[name] = parent?.owner(of: name).map { .outer($0) } ?? .resolve
        }
    }

    /// The location of `name` relative to this scope; `nil`: no scope has it.
    func location(of name: String) -> VariableLocation? {
        var hops = 0
        var scope: NameScope? = self
        while let candidate = scope {
            if candidate.symbols.loads[name] != nil, let index = candidate.indices[name] {
                return VariableLocation(hops: hops, index: index)
            }
            hops += 1
            scope = candidate.parent
        }
        return nil
    }

    /// The variables of the scope and their initial values.
    var layout: ScopeLayout {
        var layout = ScopeLayout()
        layout.variables = Array(repeating: .undefined, count: indices.count)
        for (name, index) in indices {
            switch symbols.loads[name] {
            case .parameter: layout.variables[index] = .parameter
            case .resolve: layout.variables[index] = .given(Text(name))
            case .outer:
                if let location = parent?.location(of: name) { layout.variables[index] = .outer(location.outward) }
            case .undefined, nil: break
            }
        }
        return layout
    }
}

extension VariableLocation {
    /// The same variable, seen from a scope nested in this one.
    var outward: VariableLocation { VariableLocation(hops: hops + 1, index: index) }
}

/// Collects the names that one scope reads and sets, without those of nested scopes.
struct NameCollector {
    private let scope: NameScope
    private let names: [(name: String, line: Int)]

    init(_ scope: NameScope, _ names: [(name: String, line: Int)]) {
        self.scope = scope
        self.names = names
    }

    func collect(_ body: [Statement]) { for statement in body { collect(statement) } }

    private func collect(_ statement: Statement) {
        switch statement {
        case .text, .break, .continue, .generation, .block: break
        case .output(let expression): collect(expression)
        case .conditional(let branches, let otherwise): collect(branches[...], otherwise)
        case .loop(let loop): collect(loop.sequence)
        case .set(let target, let value, _):
            collect(value)
            collect(target)
        case .setBlock(let target, _, _, _, _): collect(target)
        case .macro(let name, _): scope.store(names[name].name)
        case .call(let call, _): collect(call)
        case .filterBlock(let filter, _, _): collect(filter)
        case .with(let assignments, _, _): for assignment in assignments { collect(assignment.value) }
        }
    }

    /// Branches see the names before them, not those of each other.
    private func collect(_ branches: ArraySlice<(test: Expression, body: [Statement])>, _ otherwise: [Statement]) {
        guard let first = branches.first else { return }
        collect(first.test)
        let before = scope.symbols
        func branch(_ visit: () -> Void) -> NameScope.Symbols {
            scope.symbols = before
            visit()
            defer { scope.symbols = before }
            return scope.symbols
        }
        let body = branch { collect(first.body) }
        let elifs = branch {
            for next in branches.dropFirst() { collect([next], []) }
        }
        let last = branch { collect(otherwise) }
        scope.join([body, elifs, last])
    }

    private func collect(_ target: Target) {
        switch target {
        case .name(let name): scope.store(names[name].name)
        case .namespaceAttribute(let name, _): scope.load(names[name].name)
        case .tuple(let targets): for target in targets { collect(target) }
        }
    }

    /// Declares the names of a target as parameters of the scope.
    func declare(_ target: Target) {
        switch target {
        case .name(let name): scope.declare(names[name].name)
        case .namespaceAttribute(let name, _): scope.load(names[name].name)
        case .tuple(let targets): for target in targets { declare(target) }
        }
    }

    func collect(_ expression: Expression) {
        if case .name(let name) = expression.node { scope.load(names[name].name) }
        for part in expression.parts { collect(part) }
    }
}
