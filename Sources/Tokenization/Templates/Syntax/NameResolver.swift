/// Says of each use of a name where its value is, and of each scope what it holds when it is entered.
struct NameResolver {
    private let names: [(name: String, line: Int)]
    private(set) var places: [NamePlace]
    private(set) var layouts: [ScopeLayout]
    /// Whether what is visited may never run, so that an unknown filter there is no error yet, as in Jinja.
    private var isConditional = false
    /// The scope of the whole template.
    private var root: NameScope?

    init(_ parser: TemplateParser) {
        names = parser.names
        places = Array(repeating: NamePlace(hops: 0, slot: 0), count: parser.names.count)
        layouts = Array(repeating: ScopeLayout(), count: parser.scopeCount)
    }

    /// Resolves a whole template, whose scope is number 0.
    mutating func resolve(_ body: [Statement]) throws(TemplateError) {
        try inScope(0, parent: nil) { (_, collector) in
            collector.collect(body)
        } then: { (resolver, scope) throws(TemplateError) in
            try resolver.visit(body, scope)
        }
    }

    /// Collects a scope's names, then resolves what is in it.
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

    private mutating func place(_ use: Int, _ scope: NameScope) throws(TemplateError) {
        guard let place = scope.place(of: names[use].name) else {
            throw .syntax(line: names[use].line, reason: "'\(names[use].name)' cannot be used here")
        }
        places[use] = place
    }

    private mutating func visit(_ body: [Statement], _ scope: NameScope) throws(TemplateError) {
        for statement in body { try visit(statement, scope) }
    }

    private mutating func visit(_ statement: Statement, _ scope: NameScope) throws(TemplateError) {
        switch statement {
        case .text, .leave, .proceed: break
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
            try place(name, scope)
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
            try resolver.place(loop.loopName, scope)
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
                try resolver.place(parameter.place, scope)
                if let value = parameter.defaultValue { try resolver.visit(value, scope) }
            }
            for use in [declaration.caller, declaration.keywords, declaration.rest] {
                if let use { try resolver.place(use, scope) }
            }
            try resolver.visit(declaration.body, scope)
        }
    }

    private mutating func visit(_ target: Target, _ scope: NameScope) throws(TemplateError) {
        switch target {
        case .name(let name), .namespaceAttribute(let name, _): try place(name, scope)
        case .tuple(let targets): for target in targets { try visit(target, scope) }
        }
    }

    private mutating func visit(_ expression: Expression, _ scope: NameScope) throws(TemplateError) {
        switch expression.node {
        case .name(let name): try place(name, scope)
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
