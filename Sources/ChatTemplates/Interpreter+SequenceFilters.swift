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

    /// The entries of a dictionary, as tuples of key and value.
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

/// Filters that compare elements.
extension Interpreter {
    /// `sort`, `dictsort`, `groupby`, `unique`, `min` and `max`.
    func applyInOrder(
        _ filter: FilterName, _ input: Value, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        switch filter {
        case .sort:
            let values = try bind(arguments, ["reverse", "case_sensitive", "attribute"], "sort")
            let ignoresCase = values[1]?.isTrue != true
            let paths = try paths(values[2])
            let result = try sorted(try elements(input), reverse: values[0]?.isTrue ?? false) {
                (element) throws(TemplateError) in
                guard paths.count > 1 else { return try self.key(element, paths[0], ignoresCase) }
                var keys: [Value] = []
                for path in paths { keys.append(try self.key(element, path, ignoresCase)) }
                return try self.list(keys)
            }
            return try list(result)
        case .dictsort:
            let values = try bind(arguments, ["case_sensitive", "by", "reverse"], "dictsort")
            guard case .dictionary(let dictionary) = input else { throw failure("'dictsort' needs a dictionary") }
            let by = try text(values[1], missing: "key")
            guard by == "key" || by == "value" else {
                throw failure("You can only sort by either \"key\" or \"value\"")
            }
            let ignoresCase = values[0]?.isTrue != true
            let result = try sorted(try pairs(of: dictionary), reverse: values[2]?.isTrue ?? false) {
                (pair) throws(TemplateError) in try self.key(pair, [.int(by == "key" ? 0 : 1)], ignoresCase)
            }
            return try list(result)
        case .groupby: return try grouped(input, arguments)
        case .unique:
            let values = try bind(arguments, ["case_sensitive", "attribute"], "unique")
            let path = try path(values[1])
            var seen: Set<Value> = []
            var kept: [Value] = []
            for element in try elements(input) {
                let key = try key(element, path, values[0]?.isTrue != true)
                guard key.isHashable else { throw failure("unhashable type: '\(key.typeName)'") }
                try step(key.weight)
                if seen.insert(key).inserted { kept.append(element) }
            }
            return try sequence(.generator, kept)
        default: return try extreme(filter, input, arguments)
        }
    }

    /// Groups elements by the value of an attribute. The groups are in the order of those values.
    private func grouped(_ input: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["attribute", "default", "case_sensitive"], required: 1, "groupby")
        let path = try path(values[0])
        let ignoresCase = values[2]?.isTrue != true
        func key(_ element: Value) throws(TemplateError) -> Value {
            let value = try follow(path, from: element, replacement: values[1])
            guard ignoresCase, case .text(let text) = value else { return value }
            return try self.text(text.lowercased)
        }
        var groups: [(key: Value, elements: [Value])] = []
        for element in try sorted(try elements(input), by: key) {
            let key = try key(element)
            if let last = groups.last, try equal(last.key, key) {
                groups[groups.count - 1].elements.append(element)
            } else {
                groups.append((key, [element]))
            }
        }
        var pairs: [Value] = []
        for group in groups {
            let value = try follow(path, from: group.elements[0], replacement: values[1])
            let pair = SequenceValue(.tuple, [value, try list(group.elements)], isGroup: true)
            pairs.append(try checked(.sequence(pair), count: 2))
        }
        return try list(pairs)
    }

    private func extreme(
        _ filter: FilterName, _ input: Value, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["case_sensitive", "attribute"], filter.rawValue)
        let path = try path(values[1])
        var best: (element: Value, key: Value)?
        for element in try elements(input) {
            let key = try key(element, path, values[0]?.isTrue != true)
            guard let current = best else {
                best = (element, key)
                continue
            }
            try step()
            let order = try order(key, current.key, filter == .min ? "<" : ">")
            if order == (filter == .min ? .less : .greater) { best = (element, key) }
        }
        return best?.element ?? undefined("No aggregated item, sequence was empty.")
    }

    /// The sort key of an element.
    private func key(_ element: Value, _ path: [Value], _ ignoresCase: Bool) throws(TemplateError) -> Value {
        let value = try follow(path, from: element)
        guard ignoresCase, case .text(let text) = value else { return value }
        return try self.text(text.lowercased)
    }

    private func paths(_ attribute: Value?) throws(TemplateError) -> [[Value]] {
        guard case .text(let text)? = attribute else { return [try path(attribute)] }
        var paths: [[Value]] = []
        for part in text.split(",", limit: nil) { paths.append(try path(.text(part))) }
        return paths
    }

    /// The elements sorted by their keys with a bottom-up merge sort, which is stable.
    func sorted<Element>(
        _ elements: [Element], reverse: Bool = false, by key: (Element) throws(TemplateError) -> Value
    ) throws(TemplateError) -> [Element] {
        var keys: [Value] = []
        keys.reserveCapacity(elements.count)
        for element in elements { keys.append(try key(element)) }
        try allocate(elements.count * 32)
        var positions = Array(elements.indices)
        var width = 1
        while width < positions.count {
            var merged: [Int] = []
            merged.reserveCapacity(positions.count)
            for start in stride(from: 0, to: positions.count, by: 2 * width) {
                let middle = min(start + width, positions.count)
                let end = min(start + 2 * width, positions.count)
                var (left, right) = (start, middle)
                while left < middle, right < end {
                    try step()
                    let order = try order(keys[positions[right]], keys[positions[left]])
                    if order == (reverse ? .greater : .less) {
                        merged.append(positions[right])
                        right += 1
                    } else {
                        merged.append(positions[left])
                        left += 1
                    }
                }
                merged += positions[left..<middle]
                merged += positions[right..<end]
            }
            positions = merged
            width *= 2
        }
        return positions.map { elements[$0] }
    }
}
