extension Interpreter {
    /// How a statement ends.
    enum Flow { case normal, leave, proceed }

    func execute(_ body: [Statement]) throws(TemplateError) -> Flow {
        for statement in body {
            let flow = try deeper { () throws(TemplateError) in try execute(statement) }
            if flow != .normal { return flow }
        }
        return .normal
    }

    private func execute(_ statement: Statement) throws(TemplateError) -> Flow {
        try step()
        switch statement {
        case .text(let text): try write(text.bytes)
        case .output(let expression): try print(expression)
        case .conditional(let branches, let otherwise): return try choose(branches, otherwise)
        case .loop(let loop): return try run(loop)
        case .set(let target, let value, let line):
            let value = try evaluate(value)
            self.line = line
            try assign(value, to: target)
        case .setBlock(let target, let filter, let body, let scope, let line):
            let (text, flow) = try block(body, scope: scope, filter: filter)
            guard flow == .normal else { return flow }
            self.line = line
            try assign(text, to: target)
        case .macro(let name, let declaration): set(name, try define(declaration))
        case .call(let call, let declaration): try write(call, declaration)
        case .filterBlock(let filter, let body, let scope):
            let (text, flow) = try block(body, scope: scope, filter: filter)
            guard flow == .normal else { return flow }
            try write(string(of: text).bytes)
        case .with(let assignments, let body, let scope): return try run(assignments, body, scope)
        case .generation(let body, let scope):
            _ = try inScope(scope) { () throws(TemplateError) in try execute(body) }
        case .block(let body, let scope, let isScoped):
            _ = try inScope(scope, parent: isScoped ? nil : root) { () throws(TemplateError) in try execute(body) }
        case .leave: return .leave
        case .proceed: return .proceed
        }
        return .normal
    }

    private func print(_ expression: Expression) throws(TemplateError) {
        let value = try evaluate(expression)
        if case .text(let text) = value { return try write(text.bytes) }
        try write(string(of: value).bytes)
    }

    private func choose(
        _ branches: [(test: Expression, body: [Statement])], _ otherwise: [Statement]
    ) throws(TemplateError) -> Flow {
        for branch in branches where try isTrue(branch.test) { return try execute(branch.body) }
        return try execute(otherwise)
    }

    func isTrue(_ expression: Expression) throws(TemplateError) -> Bool { try evaluate(expression).isTrue }

    /// What a block writes, and that through its filters.
    private func block(
        _ body: [Statement], scope: Int, filter: Expression?
    ) throws(TemplateError) -> (Value, Flow) {
        try inScope(scope) { () throws(TemplateError) -> (Value, Flow) in
            var flow = Flow.normal
            let text = try captured { () throws(TemplateError) in flow = try execute(body) }
            guard let filter, flow == .normal else { return (.text(text), flow) }
            return (try apply(filter, toBlock: .text(text)), flow)
        }
    }

    private func write(_ call: Expression, _ declaration: MacroDeclaration) throws(TemplateError) {
        guard case .call(let callee, let arguments) = call.node else { return }
        let caller = try define(declaration)
        let value = try evaluateCall(callee, arguments, line: call.line, caller: caller)
        try write(string(of: value).bytes)
    }

    private func run(
        _ assignments: [(target: Target, value: Expression)], _ body: [Statement], _ scope: Int
    ) throws(TemplateError) -> Flow {
        var values: [Value] = []
        for assignment in assignments { values.append(try evaluate(assignment.value)) }
        return try inScope(scope) { () throws(TemplateError) in
            for (assignment, value) in zip(assignments, values) { try assign(value, to: assignment.target) }
            return try execute(body)
        }
    }

    func assign(_ value: Value, to target: Target) throws(TemplateError) {
        switch target {
        case .name(let name): set(name, value)
        case .namespaceAttribute(let name, let attribute):
            guard case .namespace(let place) = self.value(ofName: name) else {
                throw failure("cannot set an attribute of '\(program.names[name])', which is no namespace")
            }
            try allocate(attribute.bytes.count + 32)
            try step(namespaces[place].count / 8)
            setAttribute(attribute, of: place, value)
        case .tuple(let targets):
            let elements = try elements(value)
            guard elements.count == targets.count else {
                throw failure("cannot unpack \(elements.count) values into \(targets.count)")
            }
            for (target, element) in zip(targets, elements) { try assign(element, to: target) }
        }
    }

    private func setAttribute(_ attribute: Text, of place: Int, _ value: Value) {
        if let index = namespaces[place].firstIndex(where: { $0.key == attribute }) {
            namespaces[place][index].value = value
        } else {
            namespaces[place].append((attribute, value))
        }
    }
}
