extension Interpreter {
    /// The methods of dictionaries.
    func call(
        _ method: MethodName, of dictionary: DictionaryValue, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        switch method {
        case .get:
            guard arguments.named.isEmpty, let key = arguments.positional.first, arguments.positional.count <= 2
            else { throw failure("get expected 1 or 2 arguments") }
            guard key.isHashable else { throw failure("unhashable type: '\(key.typeName)'") }
            try step(key.weight)
            return dictionary[key] ?? (arguments.positional.count > 1 ? arguments.positional[1] : .none)
        case .keys:
            _ = try bind(arguments, [], "keys")
            return try sequence(.keys, dictionary.entries.map(\.key))
        case .values:
            _ = try bind(arguments, [], "values")
            return try sequence(.values, dictionary.entries.map(\.value))
        case .items:
            _ = try bind(arguments, [], "items")
            return try sequence(.items, try pairs(of: dictionary))
        case .copy:
            _ = try bind(arguments, [], "copy")
            return try self.dictionary(dictionary.entries)
        default: throw failure("the method '\(method.rawValue)' of dictionaries is not supported")
        }
    }

    /// The methods of lists, tuples and ranges.
    func call(
        _ method: MethodName, of sequence: SequenceValue, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        switch method {
        case .decode: return try decoded(EncodedBytes(sequence), arguments)
        case .copy:
            _ = try bind(arguments, [], "copy")
            return try list(sequence.elements)
        case .count:
            let values = try bind(arguments, ["value"], required: 1, "count")
            var count = 0
            for element in sequence.elements where try equal(element, values[0] ?? .none) { count += 1 }
            return .int(count)
        case .index:
            let values = try bind(arguments, ["value", "start", "stop"], required: 1, "index")
            let bounds = Slice(
                try integer(values[1], missing: 0), try integer(values[2], missing: .max), 1,
                count: sequence.elements.count)
            for place in bounds where try equal(sequence.elements[place], values[0] ?? .none) { return .int(place) }
            throw failure("the value is not in the \(sequence.kind.rawValue)")
        default: throw failure("the method '\(method.rawValue)' of lists is not supported")
        }
    }
}
