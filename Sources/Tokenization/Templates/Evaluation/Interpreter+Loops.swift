extension Interpreter {
    func run(_ loop: Loop) throws(TemplateError) {
        line = loop.line
        let sequence = try evaluate(loop.sequence)
        line = loop.line
        var elements = try elements(sequence)
        if let filter = loop.filter { elements = try filtered(elements, filter) }
        guard !elements.isEmpty else {
            _ = try inScope(loop.otherwiseScope) { () throws(TemplateError) in try execute(loop.otherwise) }
            return
        }
        loopCount += 1
        let state = LoopState(elements, depth: sequence.depth + 1, serial: loopCount)
        _ = try checked(.loop(state), count: 0)
        try inScope(loop.scope) { () throws(TemplateError) in
            for (index, element) in elements.enumerated() {
                try step()
                if index > 0 { try reset(scope, loop.scope) }
                state.index = index
                set(loop.loopName, .loop(state))
                line = loop.line
                try assign(element, to: loop.target)
                if try execute(loop.body) == .leave { break }
            }
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
        case "depth": return .int(1)
        case "depth0": return .int(0)
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
