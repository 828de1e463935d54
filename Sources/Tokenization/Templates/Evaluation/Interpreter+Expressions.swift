extension Interpreter {
    func evaluate(_ expression: Expression) throws(TemplateError) -> Value {
        try deeper { () throws(TemplateError) in
            try step()
            line = expression.line
            return try evaluateNode(expression)
        }
    }

    private func evaluateNode(_ expression: Expression) throws(TemplateError) -> Value {
        switch expression.node {
        case .literal(let literal): return Interpreter.value(of: literal)
        case .name(let use): return value(ofName: use)
        case .list(let parts): return try list(try evaluateAll(parts))
        case .tuple(let parts): return try sequence(.tuple, try evaluateAll(parts))
        case .dictionary(let entries): return try evaluateDictionary(entries)
        case .unary(let operation, let operand): return try unary(operation, try evaluate(operand))
        case .arithmetic(let operation, let left, let right):
            let left = try evaluate(left)
            let right = try evaluate(right)
            line = expression.line
            return try arithmetic(operation, left, right)
        case .concatenation(let parts): return try concatenate(parts)
        case .and(let left, let right):
            let left = try evaluate(left)
            return left.isTrue ? try evaluate(right) : left
        case .or(let left, let right):
            let left = try evaluate(left)
            return left.isTrue ? left : try evaluate(right)
        case .comparison(let first, let others): return .bool(try compareChain(first, others))
        case .conditional(let test, let then, let otherwise):
            if try isTrue(test) { return try evaluate(then) }
            if let otherwise { return try evaluate(otherwise) }
            return undefined("the inline if evaluated to false and has no else")
        case .attribute(let object, let name):
            let object = try evaluate(object)
            line = expression.line
            return try attribute(name, of: object)
        case .item(let object, let key):
            let object = try evaluate(object)
            let key = try evaluate(key)
            line = expression.line
            return try item(key, of: object)
        case .slice(let object, let start, let stop, let step):
            return try evaluateSlice(object, start, stop, step, line: expression.line)
        case .call(let callee, let arguments):
            return try evaluateCall(callee, arguments, line: expression.line, caller: nil)
        case .filter(let input, let use):
            guard let input else { throw failure("a filter has no input") }
            return try evaluateFilter(use, try evaluate(input), line: expression.line)
        case .test(let operand, let use):
            let operand = try evaluate(operand)
            let arguments = try evaluate(use.arguments)
            line = expression.line
            guard let test = use.test else { throw failure("no test named '\(use.name)'") }
            return .bool(try self.test(test, operand, arguments))
        }
    }

    private static func value(of literal: Literal) -> Value {
        switch literal {
        case .none: Value.none
        case .bool(let bool): .bool(bool)
        case .int(let int): .int(int)
        case .bigInteger(let integer): .bigInteger(integer)
        case .double(let double): .double(double)
        case .text(let text): .text(text)
        }
    }

    private func evaluateAll(_ parts: [Expression]) throws(TemplateError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(parts.count)
        for part in parts { values.append(try evaluate(part)) }
        return values
    }

    private func evaluateDictionary(
        _ entries: [(key: Expression, value: Expression)]
    ) throws(TemplateError) -> Value {
        var values: [DictionaryValue.Entry] = []
        for entry in entries { values.append((try evaluate(entry.key), try evaluate(entry.value))) }
        return try dictionary(values)
    }

    private func concatenate(_ parts: [Expression]) throws(TemplateError) -> Value {
        var bytes: [UInt8] = []
        for part in parts {
            let text = try string(of: try evaluate(part))
            try allocate(text.bytes.count)
            bytes.append(contentsOf: text.bytes)
        }
        return .text(Text(bytes))
    }

    private func evaluateSlice(
        _ object: Expression, _ start: Expression?, _ stop: Expression?, _ step: Expression?, line: Int
    ) throws(TemplateError) -> Value {
        let object = try evaluate(object)
        var bounds: [Value] = []
        for part in [start, stop, step] {
            if let part { bounds.append(try evaluate(part)) } else { bounds.append(.none) }
        }
        self.line = line
        return try slice(object, bounds[0], bounds[1], bounds[2])
    }

    /// So many are still looked through one by one.
    private static let maximumNamedArguments = 1000

    func evaluate(_ arguments: Arguments) throws(TemplateError) -> CallArguments {
        var result = CallArguments()
        for part in arguments.positional { result.positional.append(try evaluate(part)) }
        for part in arguments.named { result.named.append((part.name, try evaluate(part.value))) }
        if let spread = arguments.spread {
            let elements = try elements(try evaluate(spread))
            try allocate(16 * elements.count)
            result.positional += elements
        }
        if let spread = arguments.namedSpread {
            guard case .dictionary(let dictionary) = try evaluate(spread) else {
                throw failure("what follows ** must be a dictionary")
            }
            for entry in dictionary.entries {
                guard case .text(let name) = entry.key else { throw failure("keywords must be strings") }
                guard !result.named.contains(where: { $0.name == name.string }) else {
                    throw failure("the argument '\(name.string)' is given twice")
                }
                guard result.named.count < Interpreter.maximumNamedArguments else {
                    throw exceeded("a call has more than \(Interpreter.maximumNamedArguments) named arguments")
                }
                result.named.append((name.string, entry.value))
            }
        }
        return result
    }

    func evaluateFilter(_ use: FilterUse, _ input: Value, line: Int) throws(TemplateError) -> Value {
        let arguments = try evaluate(use.arguments)
        self.line = line
        guard let filter = use.filter else { throw failure("no filter named '\(use.name)'") }
        return try apply(filter, input, arguments)
    }

    /// A chain of filters, the first of which has no input of its own, applied to what a block wrote.
    func apply(_ chain: Expression, toBlock text: Value) throws(TemplateError) -> Value {
        guard case .filter(let input, let use) = chain.node else { return text }
        let value = if let input { try apply(input, toBlock: text) } else { text }
        return try evaluateFilter(use, value, line: chain.line)
    }
}
