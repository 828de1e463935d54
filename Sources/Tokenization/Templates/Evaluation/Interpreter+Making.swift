extension Interpreter {
    func text(_ text: Text) throws(TemplateError) -> Value {
        try allocate(32 + text.bytes.count)
        return .text(text)
    }

    /// A list or its like; too deep a one would overflow the stack when it is let go.
    func sequence(_ kind: SequenceValue.Kind, _ elements: [Value]) throws(TemplateError) -> Value {
        try checked(.sequence(SequenceValue(kind, elements)), count: elements.count)
    }

    func list(_ elements: [Value]) throws(TemplateError) -> Value { try sequence(.list, elements) }

    func texts(_ texts: [Text]) throws(TemplateError) -> Value {
        var elements: [Value] = []
        elements.reserveCapacity(texts.count)
        for text in texts { elements.append(try self.text(text)) }
        return try list(elements)
    }

    func dictionary(_ entries: [DictionaryValue.Entry]) throws(TemplateError) -> Value {
        for entry in entries {
            guard entry.key.isHashable else { throw failure("a '\(entry.key.typeName)' cannot be a key") }
            try step(entry.key.weight)
        }
        return try checked(.dictionary(DictionaryValue(entries)), count: entries.count * 3)
    }

    func method(_ receiver: Value, _ name: MethodName) throws(TemplateError) -> Value {
        try checked(.method(MethodValue(receiver, name)), count: 1)
    }

    func checked(_ value: Value, count: Int) throws(TemplateError) -> Value {
        try allocate(64 + 16 * count)
        guard value.depth <= limits.valueDepth else {
            throw exceeded("makes values that nest more than \(limits.valueDepth) deep")
        }
        return value
    }

    func undefined(_ message: String) -> Value { .undefined(UndefinedValue(.other(message))) }

    /// A value from outside.
    func imported(_ value: TemplateValue, depth: Int = 0) throws(TemplateError) -> Value {
        guard depth < limits.valueDepth else {
            throw exceeded("is given values that nest more than \(limits.valueDepth) deep")
        }
        switch value {
        case .null: return .none
        case .bool(let bool): return .bool(bool)
        case .int(let int): return .int(int)
        case .bigInteger(let digits):
            guard let integer = BigInteger(digits) else { throw failure("'\(digits.prefix(40))' is no integer") }
            try step(digits.utf8.count)
            return try number(integer)
        case .double(let double): return .double(double)
        case .string(let string): return .string(string)
        case .array(let elements):
            var values: [Value] = []
            values.reserveCapacity(elements.count)
            for element in elements { values.append(try imported(element, depth: depth + 1)) }
            return .sequence(SequenceValue(.list, values))
        case .object(let object):
            var entries: [DictionaryValue.Entry] = []
            entries.reserveCapacity(object.entries.count)
            for entry in object.entries {
                entries.append((.string(entry.key), try imported(entry.value, depth: depth + 1)))
            }
            return .dictionary(DictionaryValue(entries))
        }
    }

    /// The elements that a loop over `value` sees.
    func elements(_ value: Value) throws(TemplateError) -> [Value] {
        switch value {
        case .undefined: return []
        case .sequence(let sequence): return sequence.elements
        case .text(let text):
            try step(text.bytes.count / 8)
            try allocate(text.bytes.count * 48)
            return text.marked(false).characters.map { .text($0) }
        case .dictionary(let dictionary):
            try step(dictionary.entries.count / 8)
            try allocate(dictionary.entries.count * 16)
            return dictionary.entries.map(\.key)
        case .loop: throw failure("loops cannot be looped over")
        default: throw failure("'\(value.typeName)' object is not iterable")
        }
    }
}
