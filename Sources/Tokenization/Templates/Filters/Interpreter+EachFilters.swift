extension Interpreter {
    /// `map`, `select`, `reject` and the two that look at an attribute.
    func applyToEach(
        _ filter: FilterName, _ input: Value, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        guard input.isTrue else { return try sequence(.generator, []) }
        let elements = try elements(input)
        if filter == .map { return try mapped(elements, arguments) }
        var rest = arguments
        var attribute: [Value] = []
        if filter == .selectattr || filter == .rejectattr {
            guard !rest.positional.isEmpty else { throw failure("'\(filter.rawValue)' needs an attribute") }
            attribute = try path(rest.positional.removeFirst())
        }
        var test: TestName?
        if !rest.positional.isEmpty {
            let name = try string(of: rest.positional.removeFirst()).string
            test = TestName(spelling: name)
            guard test != nil else { throw failure("no test named '\(name)'") }
        }
        let keeps = filter == .select || filter == .selectattr
        var kept: [Value] = []
        for element in elements {
            try step()
            let value = try follow(attribute, from: element)
            let holds = if let test { try self.test(test, value, rest) } else { value.isTrue }
            if holds == keeps { kept.append(element) }
        }
        return try sequence(.generator, kept)
    }

    private func mapped(_ elements: [Value], _ arguments: CallArguments) throws(TemplateError) -> Value {
        var rest = arguments
        var results: [Value] = []
        results.reserveCapacity(elements.count)
        if rest.positional.isEmpty, let attribute = rest.take("attribute") {
            let path = try path(attribute)
            let replacement = rest.take("default")
            if let extra = rest.named.first { throw failure("Unexpected keyword argument '\(extra.name)'") }
            for element in elements {
                try step()
                results.append(try follow(path, from: element, replacement: replacement))
            }
            return try sequence(.generator, results)
        }
        guard !rest.positional.isEmpty else { throw failure("map requires a filter argument") }
        let name = try string(of: rest.positional.removeFirst()).string
        guard let filter = FilterName(spelling: name) else { throw failure("no filter named '\(name)'") }
        for element in elements {
            try step()
            results.append(try apply(filter, element, rest))
        }
        return try sequence(.generator, results)
    }

    /// The keys that an attribute such as `a.0.b` names.
    func path(_ attribute: Value?) throws(TemplateError) -> [Value] {
        guard let attribute, attribute.isSomething else { return [] }
        guard case .text(let text) = attribute else { return [attribute] }
        var keys: [Value] = []
        for part in text.split(".", limit: nil) {
            let isNumber = !part.isEmpty && part.bytes.allSatisfy { (0x30...0x39).contains($0) }
            if isNumber, let index = Int(part.string) { keys.append(.int(index)) } else { keys.append(.text(part)) }
        }
        return keys
    }

    /// What is found by going along `path`; a replacement stands for whatever is not there.
    func follow(_ path: [Value], from value: Value, replacement: Value? = nil) throws(TemplateError) -> Value {
        var value = value
        for key in path {
            value = try item(key, of: value)
            if value.isUndefined, let replacement, replacement.isSomething { value = replacement }
        }
        return value
    }
}
