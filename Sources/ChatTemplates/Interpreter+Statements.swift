extension Interpreter {
    /// How a statement ends.
    enum Flow { case normal, `break`, `continue` }

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
        case .break: return .break
        case .continue: return .continue
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

    /// The text that a block writes, after its filters.
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
            guard case .namespace(let index) = self.value(ofName: name) else {
                throw failure("cannot set an attribute of '\(program.names[name])', which is no namespace")
            }
            try allocate(attribute.bytes.count + 32)
            try step(namespaces[index].count / 8)
            setAttribute(attribute, ofNamespace: index, value)
        case .tuple(let targets):
            let elements = try elements(value)
            guard elements.count == targets.count else {
                throw failure("cannot unpack \(elements.count) values into \(targets.count)")
            }
            for (target, element) in zip(targets, elements) { try assign(element, to: target) }
        }
    }

    private func setAttribute(_ attribute: Text, ofNamespace namespace: Int, _ value: Value) {
        if let index = namespaces[namespace].firstIndex(where: { $0.key == attribute }) {
            namespaces[namespace][index].value = value
        } else {
            namespaces[namespace].append((attribute, value))
        }
    }
}

/// Loops.
extension Interpreter {
    func run(_ loop: Loop) throws(TemplateError) -> Flow {
        line = loop.line
        let sequence = try evaluate(loop.sequence)
        line = loop.line
        return try run(loop, over: sequence, level: 0)
    }

    private func run(_ loop: Loop, over sequence: Value, level: Int) throws(TemplateError) -> Flow {
        var elements = try elements(sequence)
        if let filter = loop.filter { elements = try filtered(elements, filter) }
        // Jinja executes `else` unless an iteration reached the end of the body. `continue` and `break` skip that end,
        // so a loop whose iterations all do so executes `else` as well.
        if try !iterate(loop, over: elements, depth: sequence.depth + 1, level: level) {
            return try inScope(loop.otherwiseScope) { () throws(TemplateError) in try execute(loop.otherwise) }
        }
        return .normal
    }

    /// Executes the body for each element. Returns whether at least one iteration reached the end of the body.
    private func iterate(
        _ loop: Loop, over elements: [Value], depth: Int, level: Int
    ) throws(TemplateError) -> Bool {
        guard !elements.isEmpty else { return false }
        loopCount += 1
        let state = LoopState(
            elements, depth: depth, serial: loopCount, level: level, recursion: loop.isRecursive ? (loop, scope) : nil)
        _ = try checked(.loop(state), count: 0)
        return try inScope(loop.scope) { () throws(TemplateError) in
            var reachesEnd = false
            for (index, element) in elements.enumerated() {
                try step()
                if index > 0 { try reset(scope, loop.scope) }
                state.index = index
                set(loop.loopName, .loop(state))
                line = loop.line
                try assign(element, to: loop.target)
                let flow = try execute(loop.body)
                if flow == .normal { reachesEnd = true }
                if flow == .break { break }
            }
            return reachesEnd
        }
    }

    /// The text that a recursive loop writes when the template calls it with other elements.
    func call(_ state: LoopState, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["iterable"], required: 1, "loop")
        guard let (loop, outer) = state.recursion else {
            throw failure("The loop must have the 'recursive' marker to be called recursively.")
        }
        let inner = scope
        scope = outer
        defer { scope = inner }
        return try deeper { () throws(TemplateError) in
            .text(
                try captured { () throws(TemplateError) in
                    _ = try run(loop, over: values[0] ?? .none, level: state.level + 1)
                })
        }
    }

    private func filtered(
        _ elements: [Value], _ filter: (target: Target, test: Expression, scope: Int)
    ) throws(TemplateError) -> [Value] {
        try inScope(filter.scope) { () throws(TemplateError) in
            var kept: [Value] = []
            for element in elements {
                try step()
                try assign(element, to: filter.target)
                if try isTrue(filter.test) { kept.append(element) }
            }
            return kept
        }
    }

    /// The attribute `name` of `loop`; `nil`: there is none.
    func attribute(_ name: Text, of loop: LoopState) -> Value? {
        let count = loop.elements.count
        switch name.string {
        case "index": return .int(loop.index + 1)
        case "index0": return .int(loop.index)
        case "revindex": return .int(count - loop.index)
        case "revindex0": return .int(count - loop.index - 1)
        case "first": return .bool(loop.index == 0)
        case "last": return .bool(loop.index == count - 1)
        case "length": return .int(count)
        case "depth": return .int(loop.level + 1)
        case "depth0": return .int(loop.level)
        case "previtem":
            return loop.index > 0 ? loop.elements[loop.index - 1] : undefined("there is no previous item")
        case "nextitem":
            return loop.index + 1 < count ? loop.elements[loop.index + 1] : undefined("there is no next item")
        default: return nil
        }
    }

    /// `loop.cycle` and `loop.changed`.
    func call(_ name: MethodName, of loop: LoopState, _ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty else { throw failure("'\(name.rawValue)' takes no named arguments") }
        let values = arguments.positional
        if name == .cycle {
            guard !values.isEmpty else { throw failure("no items for cycling given") }
            return values[loop.index % values.count]
        }
        let last = changes[loop.serial]
        for value in values { try step(value.weight) }
        try allocate(16 * values.count)
        changes[loop.serial] = values
        return .bool(last != values)
    }
}

/// The evaluated arguments of a call.
struct CallArguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    /// Removes and returns the argument `name`.
    mutating func take(_ name: String) -> Value? {
        guard let index = named.firstIndex(where: { $0.name == name }) else { return nil }
        return named.remove(at: index).value
    }
}

extension Interpreter {
    /// Stores a macro with the scope in which it is defined, and returns a reference to it.
    func define(_ declaration: MacroDeclaration) throws(TemplateError) -> Value {
        try allocate(256)
        macros.append(Macro(declaration: declaration, scope: scope))
        return .macro(macros.count - 1)
    }

    /// Calls a macro; returns the text that it writes.
    func call(macro index: Int, _ given: CallArguments) throws(TemplateError) -> Value {
        let macro = macros[index]
        let declaration = macro.declaration
        var arguments = given
        let parameters = declaration.parameters
        return try deeper { () throws(TemplateError) in
            try inScope(declaration.scope, parent: macro.scope) { () throws(TemplateError) in
                var missing: [Int] = []
                for (index, parameter) in parameters.enumerated() {
                    if index < given.positional.count {
                        set(parameter.variable, given.positional[index])
                    } else if let value = arguments.take(parameter.name) {
                        set(parameter.variable, value)
                    } else {
                        missing.append(index)
                    }
                }
                for index in missing { try setDefault(parameters[index]) }
                try setSpecial(declaration, &arguments)
                return .text(try captured { () throws(TemplateError) in _ = try execute(declaration.body) })
            }
        }
    }

    private func setDefault(
        _ parameter: (name: String, variable: Int, defaultValue: Expression?)
    ) throws(TemplateError) {
        if let value = parameter.defaultValue {
            set(parameter.variable, try evaluate(value))
        } else {
            set(parameter.variable, undefined("parameter '\(parameter.name)' was not provided"))
        }
    }

    /// Sets `caller`, `kwargs` and `varargs` if the macro uses them. Throws for arguments that no parameter takes.
    private func setSpecial(
        _ declaration: MacroDeclaration, _ arguments: inout CallArguments
    ) throws(TemplateError) {
        if let caller = declaration.caller {
            let value = arguments.take("caller")
            if case .some(let value) = value, !isNone(value) {
                set(caller, value)
            } else {
                set(caller, undefined("No caller defined"))
            }
        }
        if let keywords = declaration.keywords {
            var entries: [DictionaryValue.Entry] = []
            for argument in arguments.named { entries.append((.string(argument.name), argument.value)) }
            set(keywords, try dictionary(entries))
        } else if let extra = arguments.named.first {
            throw failure("macro '\(declaration.name)' takes no keyword argument '\(extra.name)'")
        }
        let rest = arguments.positional.dropFirst(declaration.parameters.count)
        if let variable = declaration.rest {
            set(variable, try sequence(.tuple, Array(rest)))
        } else if !rest.isEmpty {
            throw failure(
                "macro '\(declaration.name)' takes not more than \(declaration.parameters.count) argument(s)")
        }
    }

    private func isNone(_ value: Value) -> Bool { if case .none = value { true } else { false } }
}
