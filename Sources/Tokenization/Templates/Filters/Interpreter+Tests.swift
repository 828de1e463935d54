extension Interpreter {
    /// Whether `value is test(arguments)`.
    func test(_ test: TestName, _ value: Value, _ arguments: CallArguments) throws(TemplateError) -> Bool {
        if let comparison = test.comparison {
            return try compare(comparison, value, try only(arguments, test))
        }
        switch test {
        case .in: return try contains(try only(arguments, test), value)
        case .sameas: return Interpreter.isSame(value, try only(arguments, test))
        case .divisibleby:
            return try equal(try arithmetic(.modulo, value, try only(arguments, test)), .int(0))
        default:
            _ = try bind(arguments, [], test.rawValue)
            if [.lower, .upper, .filter, .test].contains(test) { try step(value.work) }
            return try holds(test, value)
        }
    }

    private func only(_ arguments: CallArguments, _ test: TestName) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty, arguments.positional.count == 1 else {
            throw failure("the test '\(test.rawValue)' needs one argument")
        }
        return arguments.positional[0]
    }

    private func holds(_ test: TestName, _ value: Value) throws(TemplateError) -> Bool {
        switch test {
        case .defined: return !value.isUndefined
        case .undefined: return value.isUndefined
        case .none: if case .none = value { return true }
        case .boolean: if case .bool = value { return true }
        case .true: if case .bool(true) = value { return true }
        case .false: if case .bool(false) = value { return true }
        case .integer:
            switch value {
            case .int, .bigInteger: return true
            default: return false
            }
        case .float: if case .double = value { return true }
        case .number: return value.asNumber != nil
        case .string: if case .text = value { return true }
        case .mapping: if case .dictionary = value { return true }
        case .escaped: if case .text(let text) = value { return text.isMarkup }
        case .iterable: return Interpreter.isIterable(value)
        case .sequence: return Interpreter.isSequence(value)
        case .callable: return Interpreter.isCallable(value)
        case .lower, .upper: return try string(of: value).isAllCase(upper: test == .upper)
        case .even, .odd:
            let rest = try arithmetic(.modulo, value, .int(2))
            return try equal(rest, .int(test == .odd ? 1 : 0))
        case .filter: if case .text(let text) = value { return FilterName(spelling: text.string) != nil }
        case .test: if case .text(let text) = value { return TestName(spelling: text.string) != nil }
        default: break
        }
        return false
    }

    private static func isIterable(_ value: Value) -> Bool {
        switch value {
        case .text, .sequence, .dictionary, .undefined, .loop: true
        default: false
        }
    }

    private static func isSequence(_ value: Value) -> Bool {
        switch value {
        case .text, .dictionary, .undefined: true
        case .sequence(let sequence): [.list, .tuple, .range, .bytes].contains(sequence.kind)
        default: false
        }
    }

    private static func isCallable(_ value: Value) -> Bool {
        switch value {
        case .macro, .function, .method, .undefined, .loop: true
        case .helper(let helper): if case .joiner = helper.kind { true } else { false }
        default: false
        }
    }

    /// Python's `is`, for the values whose identity a template can rely on.
    private static func isSame(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.none, .none): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.bigInteger(let left), .bigInteger(let right)): left == right
        case (.text(let left), .text(let right)): left == right
        case (.sequence(let left), .sequence(let right)): left === right
        case (.dictionary(let left), .dictionary(let right)): left === right
        case (.namespace(let left), .namespace(let right)): left == right
        default: false
        }
    }
}
