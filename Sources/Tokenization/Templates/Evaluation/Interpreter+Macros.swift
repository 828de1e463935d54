/// What a call is given, evaluated.
struct CallArguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    /// Removes and gives the named argument.
    mutating func take(_ name: String) -> Value? {
        guard let place = named.firstIndex(where: { $0.name == name }) else { return nil }
        return named.remove(at: place).value
    }
}

extension Interpreter {
    /// A macro, with the scope it is defined in.
    func define(_ declaration: MacroDeclaration) throws(TemplateError) -> Value {
        try allocate(256)
        macros.append(Macro(declaration: declaration, scope: scope))
        return .macro(macros.count - 1)
    }

    /// What a macro writes.
    func call(macro place: Int, _ given: CallArguments) throws(TemplateError) -> Value {
        let macro = macros[place]
        let declaration = macro.declaration
        var arguments = given
        let parameters = declaration.parameters
        return try deeper { () throws(TemplateError) in
            try inScope(declaration.scope, parent: macro.scope) { () throws(TemplateError) in
                var missing: [Int] = []
                for (index, parameter) in parameters.enumerated() {
                    if index < given.positional.count {
                        set(parameter.place, given.positional[index])
                    } else if let value = arguments.take(parameter.name) {
                        set(parameter.place, value)
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
        _ parameter: (name: String, place: Int, defaultValue: Expression?)
    ) throws(TemplateError) {
        if let value = parameter.defaultValue {
            set(parameter.place, try evaluate(value))
        } else {
            set(parameter.place, undefined("parameter '\(parameter.name)' was not provided"))
        }
    }

    /// Sets `caller`, `kwargs` and `varargs` where the macro uses them, and refuses what is left over.
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
        if let place = declaration.rest {
            set(place, try sequence(.tuple, Array(rest)))
        } else if !rest.isEmpty {
            throw failure(
                "macro '\(declaration.name)' takes not more than \(declaration.parameters.count) argument(s)")
        }
    }

    private func isNone(_ value: Value) -> Bool { if case .none = value { true } else { false } }
}
