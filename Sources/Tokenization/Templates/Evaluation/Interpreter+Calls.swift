extension Interpreter {
    func evaluateCall(
        _ callee: Expression, _ arguments: Arguments, line: Int, caller: Value?
    ) throws(TemplateError) -> Value {
        if case .attribute(let object, let name) = callee.node, let method = name.method {
            let object = try evaluate(object)
            if method.belongs(to: object), !method.changes(object) {
                let arguments = try evaluate(arguments)
                self.line = line
                return try call(method, of: object, arguments)
            }
            return try call(try attribute(name, of: object), arguments, line: line, caller: caller)
        }
        return try call(try evaluate(callee), arguments, line: line, caller: caller)
    }

    private func call(
        _ callee: Value, _ arguments: Arguments, line: Int, caller: Value?
    ) throws(TemplateError) -> Value {
        var arguments = try evaluate(arguments)
        self.line = line
        if let caller { arguments.named.append(("caller", caller)) }
        switch callee {
        case .macro(let place): return try call(macro: place, arguments)
        case .function(let function): return try call(function, arguments)
        case .helper(let helper): return try call(helper, arguments)
        case .loop(let loop): return try call(loop, arguments)
        case .method(let method): return try call(method.name, of: method.receiver, arguments)
        case .undefined(let undefined): throw failure(undefined.message)
        default: throw failure("'\(callee.typeName)' object is not callable")
        }
    }

    private func call(
        _ method: MethodName, of object: Value, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        try step(object.work)
        switch object {
        case .text(let text): return try call(method, of: text, arguments)
        case .dictionary(let dictionary): return try call(method, of: dictionary, arguments)
        case .sequence(let sequence): return try call(method, of: sequence, arguments)
        case .loop(let loop): return try call(method, of: loop, arguments)
        case .helper(let helper): return try call(method, of: helper, arguments)
        default: throw failure("'\(object.typeName)' object has no method '\(method.rawValue)'")
        }
    }

    private func call(_ function: GlobalFunction, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch function {
        case .range: return try range(arguments)
        case .dict:
            var entries: [DictionaryValue.Entry] = []
            if let first = arguments.positional.first { entries += try pairs(first) }
            guard arguments.positional.count <= 1 else { throw failure("dict expected at most 1 argument") }
            for argument in arguments.named { entries.append((.string(argument.name), argument.value)) }
            return try dictionary(entries)
        case .namespace: return try namespace(arguments)
        case .joiner: return try makeJoiner(arguments)
        case .cycler: return try makeCycler(arguments)
        case .raiseException:
            let values = try bind(arguments, ["message"], required: 1, "raise_exception")
            throw .raised(line: line, message: try string(of: values[0] ?? .none).string)
        case .strftimeNow:
            let values = try bind(arguments, ["format"], required: 1, "strftime_now")
            guard case .text(let format) = values[0] else { throw failure("strftime_now needs a string") }
            guard let time = clock.formatted(format.bytes) else {
                throw failure("strftime_now cannot use the format '\(format.string)'")
            }
            return try text(Text(time))
        }
    }

    private func namespace(_ arguments: CallArguments) throws(TemplateError) -> Value {
        var attributes: [(key: Text, value: Value)] = []
        var entries: [DictionaryValue.Entry] = []
        guard arguments.positional.count <= 1 else { throw failure("namespace expected at most 1 argument") }
        if let first = arguments.positional.first { entries += try pairs(first) }
        for argument in arguments.named { entries.append((.string(argument.name), argument.value)) }
        for entry in DictionaryValue(entries).entries {
            guard case .text(let name) = entry.key else { continue }
            attributes.append((name, entry.value))
        }
        try allocate(64 + 32 * attributes.count)
        namespaces.append(attributes)
        return .namespace(namespaces.count - 1)
    }

    /// The entries of a dictionary, or of a sequence of pairs.
    private func pairs(_ value: Value) throws(TemplateError) -> [DictionaryValue.Entry] {
        if case .dictionary(let dictionary) = value { return dictionary.entries }
        if case .undefined(let undefined) = value { throw failure(undefined.message) }
        var entries: [DictionaryValue.Entry] = []
        for element in try elements(value) {
            let pair = try elements(element)
            guard pair.count == 2 else { throw failure("a dictionary needs pairs") }
            guard pair[0].isHashable else { throw failure("a '\(pair[0].typeName)' cannot be a key") }
            entries.append((pair[0], pair[1]))
        }
        return entries
    }

    private func range(_ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty else { throw failure("range takes no named arguments") }
        var bounds: [Int] = []
        for value in arguments.positional { bounds.append(try index(value)) }
        guard (1...3).contains(bounds.count) else { throw failure("range expects 1 to 3 arguments") }
        let start = bounds.count == 1 ? 0 : bounds[0]
        let stop = bounds.count == 1 ? bounds[0] : bounds[1]
        let stride = bounds.count == 3 ? bounds[2] : 1
        guard stride != 0 else { throw failure("range() arg 3 must not be zero") }
        var elements: [Value] = []
        var next = start
        while stride > 0 ? next < stop : next > stop {
            guard elements.count < limits.rangeCount else {
                throw exceeded("a range has more than \(limits.rangeCount) elements")
            }
            elements.append(.int(next))
            let (sum, overflow) = next.addingReportingOverflow(stride)
            if overflow { break }
            next = sum
        }
        try step(elements.count / 8)
        return try checked(
            .sequence(SequenceValue(.range, elements, bounds: (start, stop, stride))), count: elements.count)
    }

    /// The arguments of a function by the names of its parameters.
    func bind(
        _ arguments: CallArguments, _ names: [String], required: Int = 0, _ function: String
    ) throws(TemplateError) -> [Value?] {
        guard arguments.positional.count <= names.count else {
            throw failure("'\(function)' takes at most \(names.count) arguments")
        }
        var values: [Value?] = arguments.positional
        values += Array(repeating: nil, count: names.count - values.count)
        for argument in arguments.named {
            guard let place = names.firstIndex(of: argument.name) else {
                throw failure("'\(function)' has no argument '\(argument.name)'")
            }
            guard values[place] == nil else { throw failure("'\(function)' is given '\(argument.name)' twice") }
            values[place] = argument.value
        }
        for (name, value) in zip(names, values).prefix(required) where value == nil {
            throw failure("'\(function)' needs the argument '\(name)'")
        }
        return values
    }
}
