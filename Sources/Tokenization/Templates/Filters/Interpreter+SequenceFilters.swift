extension Interpreter {
    func applyToSequence(
        _ filter: FilterName, _ input: Value, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        let name = filter.rawValue
        switch filter {
        case .length:
            _ = try bind(arguments, [], name)
            return .int(try length(input))
        case .list:
            _ = try bind(arguments, [], name)
            return try list(try elements(input))
        case .first:
            _ = try bind(arguments, [], name)
            if case .text(let text) = input, !text.isEmpty { return .text(text.character(at: 0).marked(false)) }
            return try elements(input).first ?? undefined("No first item, sequence was empty.")
        case .last:
            _ = try bind(arguments, [], name)
            return try reversible(input).last ?? undefined("No last item, sequence was empty.")
        case .reverse:
            _ = try bind(arguments, [], name)
            if case .text(let text) = input { return try self.text(Text(text.scalars.reversed())) }
            return try sequence(.generator, try elements(input).reversed())
        case .items:
            _ = try bind(arguments, [], name)
            switch input {
            case .undefined: return try sequence(.generator, [])
            case .dictionary(let dictionary): return try sequence(.generator, try pairs(of: dictionary))
            default: throw failure("Can only get item pairs from a mapping.")
            }
        case .join: return try joined(input, try bind(arguments, ["d", "attribute"], name))
        case .sum: return try sum(input, try bind(arguments, ["attribute", "start"], name))
        default: return try batches(input, try bind(arguments, ["linecount", "fill_with"], required: 1, name))
        }
    }

    func length(_ value: Value) throws(TemplateError) -> Int {
        switch value {
        case .undefined: return 0
        case .text(let text):
            try step(value.work)
            return text.count
        case .sequence(let sequence) where sequence.kind != .generator: return sequence.elements.count
        case .dictionary(let dictionary): return dictionary.entries.count
        case .loop(let loop): return loop.elements.count
        default: throw failure("object of type '\(value.typeName)' has no len()")
        }
    }

    private func reversible(_ value: Value) throws(TemplateError) -> [Value] {
        if case .sequence(let sequence) = value, sequence.kind == .generator {
            throw failure("'generator' object is not reversible")
        }
        return try elements(value)
    }

    /// The entries of a dictionary, as pairs.
    func pairs(of dictionary: DictionaryValue) throws(TemplateError) -> [Value] {
        var pairs: [Value] = []
        pairs.reserveCapacity(dictionary.entries.count)
        for entry in dictionary.entries { pairs.append(try sequence(.tuple, [entry.key, entry.value])) }
        return pairs
    }

    private func joined(_ input: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        let separator = try text(values[0], missing: "")
        let attribute = try path(values[1])
        var bytes: [UInt8] = []
        for (index, element) in try elements(input).enumerated() {
            let part = try string(of: try follow(attribute, from: element))
            try allocate(part.bytes.count + separator.bytes.count)
            if index > 0 { bytes += separator.bytes }
            bytes += part.bytes
        }
        return .text(Text(bytes))
    }

    private func sum(_ input: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        let attribute = try path(values[0])
        var total = values[1] ?? .int(0)
        if case .text = total { throw failure("sum() can't sum strings") }
        for element in try elements(input) {
            try step()
            total = try arithmetic(.add, total, try follow(attribute, from: element))
        }
        return total
    }

    private func batches(_ input: Value, _ values: [Value?]) throws(TemplateError) -> Value {
        let count = try integer(values[0], missing: 1)
        var batches: [Value] = []
        var batch: [Value] = []
        for element in try elements(input) {
            if batch.count == count {
                batches.append(try list(batch))
                batch = []
            }
            batch.append(element)
        }
        if !batch.isEmpty {
            if let fill = values[1], fill.isSomething, batch.count < count {
                try step(count - batch.count)
                try allocate(16 &* (count - batch.count))
                batch += Array(repeating: fill, count: count - batch.count)
            }
            batches.append(try list(batch))
        }
        return try sequence(.generator, batches)
    }
}
