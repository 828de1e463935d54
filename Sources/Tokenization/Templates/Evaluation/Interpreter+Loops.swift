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
        // Jinja notes at the end of the body that the loop ran, which `continue` and `break` pass by: `else` runs where
        // no round of the loop reached that end.
        if try !iterate(loop, over: elements, depth: sequence.depth + 1, level: level) {
            return try inScope(loop.otherwiseScope) { () throws(TemplateError) in try execute(loop.otherwise) }
        }
        return .normal
    }

    /// Whether the body was executed to its end at least once.
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
                if flow == .leave { break }
            }
            return reachesEnd
        }
    }

    /// What a recursive loop writes for other elements, one level deeper.
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

    /// An attribute of `loop`; `nil`: it has none of that name.
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
