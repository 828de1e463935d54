extension Interpreter {
    func compareChain(
        _ first: Expression, _ others: [(ComparisonOperator, Expression)]
    ) throws(TemplateError) -> Bool {
        var left = try evaluate(first)
        for (operation, expression) in others {
            let right = try evaluate(expression)
            guard try compare(operation, left, right) else { return false }
            left = right
        }
        return true
    }

    func compare(_ operation: ComparisonOperator, _ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        switch operation {
        case .equal: return try equal(left, right)
        case .notEqual: return try !equal(left, right)
        case .in: return try contains(right, left)
        case .notIn: return try !contains(right, left)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            switch try order(left, right, operation.rawValue) {
            case .less: return operation == .less || operation == .lessOrEqual
            case .greater: return operation == .greater || operation == .greaterOrEqual
            case .equal: return operation == .lessOrEqual || operation == .greaterOrEqual
            case .unordered: return false
            }
        }
    }

    func equal(_ left: Value, _ right: Value) throws(TemplateError) -> Bool {
        try step(min(left.weight, right.weight))
        return left == right
    }

    /// Which of two values comes first.
    func order(_ left: Value, _ right: Value, _ operation: String = "<") throws(TemplateError) -> Value.Order {
        if let order = left.compareNumbers(right) { return order }
        switch (left, right) {
        case (.text(let left), .text(let right)):
            try step(1 + min(left.bytes.count, right.bytes.count) / 32)
            return left == right ? .equal : left < right ? .less : .greater
        case (.sequence(let first), .sequence(let second))
        where first.kind == second.kind && (first.kind == .list || first.kind == .tuple):
            for (left, right) in zip(first.elements, second.elements) where try !equal(left, right) {
                return try deeper { () throws(TemplateError) in try order(left, right, operation) }
            }
            let (left, right) = (first.elements.count, second.elements.count)
            return left == right ? .equal : left < right ? .less : .greater
        case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw failure(undefined.message)
        default:
            throw failure("'\(operation)' cannot compare '\(left.typeName)' and '\(right.typeName)'")
        }
    }

    /// Python's `element in container`.
    func contains(_ container: Value, _ element: Value) throws(TemplateError) -> Bool {
        switch container {
        case .text(let text):
            guard case .text(let part) = element else {
                throw failure("'in <string>' requires string as left operand, not \(element.typeName)")
            }
            try step((text.bytes.count + part.bytes.count) / 16)
            return text.contains(part)
        case .dictionary(let dictionary):
            guard element.isHashable else { throw failure("a '\(element.typeName)' cannot be a key") }
            try step(element.weight)
            return dictionary[element] != nil
        case .sequence(let sequence):
            for candidate in sequence.elements where try equal(candidate, element) { return true }
            return false
        case .undefined: return false
        default: throw failure("argument of type '\(container.typeName)' is not iterable")
        }
    }
}
