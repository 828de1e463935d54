/// Collects the names that one scope reads and sets, without looking into the scopes inside it.
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
        case .text, .leave, .proceed, .generation, .block: break
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

    /// Branches see the names of what was before them, not one another's.
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

    /// The names of a target that whoever enters the scope sets.
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
