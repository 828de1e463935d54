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

    /// Pairs of a value of the attribute and of the elements that have it, in the order of the values.
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

    /// What an element is compared by.
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

    /// The elements by their keys, equal ones in the order in which they were: merging from the bottom up.
    func sorted<Element>(
        _ elements: [Element], reverse: Bool = false, by key: (Element) throws(TemplateError) -> Value
    ) throws(TemplateError) -> [Element] {
        var keys: [Value] = []
        keys.reserveCapacity(elements.count)
        for element in elements { keys.append(try key(element)) }
        try allocate(elements.count * 32)
        var places = Array(elements.indices)
        var width = 1
        while width < places.count {
            var merged: [Int] = []
            merged.reserveCapacity(places.count)
            for start in stride(from: 0, to: places.count, by: 2 * width) {
                let middle = min(start + width, places.count)
                let end = min(start + 2 * width, places.count)
                var (left, right) = (start, middle)
                while left < middle, right < end {
                    try step()
                    let order = try order(keys[places[right]], keys[places[left]])
                    if order == (reverse ? .greater : .less) {
                        merged.append(places[right])
                        right += 1
                    } else {
                        merged.append(places[left])
                        left += 1
                    }
                }
                merged += places[left..<middle]
                merged += places[right..<end]
            }
            places = merged
            width *= 2
        }
        return places.map { elements[$0] }
    }
}
