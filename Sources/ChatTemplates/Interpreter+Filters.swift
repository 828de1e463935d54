/// The filters that templates may use.
enum FilterName: String, CaseIterable, Sendable {
    case abs, attr, batch, capitalize, center, `default`, dictsort, escape, first, float, forceescape, format, groupby
    case indent, int, items, join, last, length, list, lower, map, max, min, reject, rejectattr, replace, reverse
    case round, safe, select, selectattr, sort, string, sum, title, tojson, trim, truncate, unique, upper, wordcount

    /// The filter that a template calls `spelling`.
    init?(spelling: String) {
        switch spelling {
        case "d": self = .default
        case "e": self = .escape
        case "count": self = .length
        default: self.init(rawValue: spelling)
        }
    }
}

/// The tests that templates may use.
enum TestName: String, CaseIterable, Sendable {
    case boolean, callable, defined, divisibleby, escaped, even, `false`, filter, float, `in`, integer, iterable, lower
    case mapping, none, number, odd, sameas, sequence, string, test, `true`, undefined, upper
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

    /// The test that a template calls `spelling`.
    init?(spelling: String) {
        switch spelling {
        case "==", "eq", "equalto": self = .equal
        case "!=", "ne": self = .notEqual
        case "<", "lt", "lessthan": self = .less
        case "<=", "le": self = .lessOrEqual
        case ">", "gt", "greaterthan": self = .greater
        case ">=", "ge": self = .greaterOrEqual
        case "equal", "notEqual", "less", "lessOrEqual", "greater", "greaterOrEqual": return nil
        default: self.init(rawValue: spelling)
        }
    }

    /// The comparison that the test stands for; `nil`: none.
    var comparison: ComparisonOperator? {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        default: nil
        }
    }
}

extension Interpreter {
    func apply(
        _ filter: FilterName, _ input: Value, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        // These filters do not visit the elements of a container. Every filter visits the bytes of a text.
        let isCheap = filter == .length || filter == .first || filter == .default
        if case .text = input { try step(input.work) } else if !isCheap { try step(input.work) }
        for value in arguments.positional { try step(value.work) }
        for argument in arguments.named { try step(argument.value.work) }
        switch filter {
        case .capitalize, .center, .escape, .forceescape, .format, .indent, .lower, .replace, .safe, .string, .title,
            .trim, .truncate, .upper, .wordcount:
            return try applyToText(filter, input, arguments)
        case .abs, .float, .int, .round: return try applyToNumber(filter, input, arguments)
        case .map, .select, .selectattr, .reject, .rejectattr:
            return try deeper { () throws(TemplateError) in try applyToEach(filter, input, arguments) }
        case .sort, .dictsort, .unique, .min, .max, .groupby: return try applyInOrder(filter, input, arguments)
        case .batch, .first, .items, .join, .last, .length, .list, .reverse, .sum:
            return try applyToSequence(filter, input, arguments)
        case .default:
            let values = try bind(arguments, ["default_value", "boolean"], "default")
            let replaces = input.isUndefined || values[1]?.isTrue == true && !input.isTrue
            return replaces ? values[0] ?? .text("") : input
        case .attr:
            let values = try bind(arguments, ["name"], required: 1, "attr")
            guard case .text(let name) = values[0] else { throw failure("'attr' needs a name") }
            if case .undefined(let undefined) = input { throw failure(undefined.message) }
            let found = try attribute(AttributeName(name), of: input)
            guard case .dictionary(let dictionary) = input,
                MethodName(rawValue: name.string)?.belongs(to: input) != true,
                dictionary[.text(name)] != nil
            else { return found }
            return .undefined(UndefinedValue(.attribute(of: input.typeName, name: name)))
        case .tojson: return try toJSON(input, arguments)
        }
    }

    private func toJSON(_ input: Value, _ arguments: CallArguments) throws(TemplateError) -> Value {
        let values = try bind(arguments, ["ensure_ascii", "indent", "separators", "sort_keys"], "tojson")
        var style = JSONStyle()
        style.escapesNonASCII = values[0]?.isTrue ?? false
        switch values[1] {
        case nil, .some(.none): break
        case .text(let indent)?: style.indent = indent
        case let width?:
            let count = max(try index(width), 0)
            try allocate(count)
            style.indent = Text([UInt8](repeating: UInt8(ascii: " "), count: count))
        }
        if style.indent != nil { style.itemSeparator = "," }
        if let separators = values[2], separators.isSomething {
            let pair = try elements(separators)
            guard pair.count == 2, case .text(let item) = pair[0], case .text(let key) = pair[1] else {
                throw failure("'separators' needs two strings")
            }
            style.itemSeparator = item
            style.keySeparator = key
        }
        style.sortsKeys = values[3]?.isTrue ?? false
        var bytes: [UInt8] = []
        try writeJSON(input, style, &bytes)
        return .text(Text(bytes))
    }

    /// An optional argument as an integer; `missing` if it is not given.
    func integer(_ value: Value?, missing: Int) throws(TemplateError) -> Int {
        guard let value else { return missing }
        return try index(value)
    }

    /// An optional argument as text; `missing` if it is not given.
    func text(_ value: Value?, missing: Text) throws(TemplateError) -> Text {
        guard let value else { return missing }
        return try string(of: value)
    }
}

extension Value {
    /// Whether it is not `none`.
    var isSomething: Bool { if case .none = self { false } else { true } }
}

/// Tests: `value is name`.
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

    /// Python's `is`, for values whose identity is defined.
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

/// Filters that apply a filter or test to each element.
extension Interpreter {
    /// `map`, `select`, `reject`, `selectattr` and `rejectattr`.
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

    /// The keys in an attribute path such as `a.0.b`.
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

    /// The value at `path` inside `value`; `replacement` is used for a key that is missing.
    func follow(_ path: [Value], from value: Value, replacement: Value? = nil) throws(TemplateError) -> Value {
        var value = value
        for key in path {
            value = try item(key, of: value)
            if value.isUndefined, let replacement, replacement.isSomething { value = replacement }
        }
        return value
    }
}

/// The options of `tojson`.
struct JSONStyle {
    var escapesNonASCII = false
    var indent: Text?
    var itemSeparator: Text = ", "
    var keySeparator: Text = ": "
    var sortsKeys = false
}

extension Interpreter {
    /// Appends `value` as JSON, as Python's `json.dumps` writes it.
    func writeJSON(
        _ value: Value, _ style: JSONStyle, _ bytes: inout [UInt8], level: Int = 0
    ) throws(TemplateError) {
        try step()
        let start = bytes.count
        switch value {
        case .none: bytes += "null".utf8
        case .bool(let bool): bytes += (bool ? "true" : "false").utf8
        case .int(let int): bytes += String(int).utf8
        case .bigInteger(let integer): bytes += try digits(of: integer).utf8
        case .double(let double): bytes += Interpreter.json(double).utf8
        case .text(let text): Interpreter.quote(text, style, &bytes)
        case .sequence(let sequence) where sequence.kind == .list || sequence.kind == .tuple:
            try write(sequence.elements, "[", "]", style, &bytes, level) { (element, bytes) throws(TemplateError) in
                try self.writeJSON(element, style, &bytes, level: level + 1)
            }
            return
        case .dictionary(let dictionary):
            var entries = dictionary.entries
            if style.sortsKeys { entries = try sorted(entries) { (entry) throws(TemplateError) in entry.key } }
            try write(entries, "{", "}", style, &bytes, level) { (entry, bytes) throws(TemplateError) in
                Interpreter.quote(try self.jsonKey(entry.key), style, &bytes)
                bytes += style.keySeparator.bytes
                try self.writeJSON(entry.value, style, &bytes, level: level + 1)
            }
            return
        default: throw failure("Object of type \(value.typeName) is not JSON serializable")
        }
        try allocate(bytes.count - start)
    }

    private func write<Element>(
        _ elements: [Element], _ opening: String, _ closing: String, _ style: JSONStyle, _ bytes: inout [UInt8],
        _ level: Int, _ writeElement: (Element, inout [UInt8]) throws(TemplateError) -> Void
    ) throws(TemplateError) {
        bytes += opening.utf8
        func breakLine(_ level: Int) throws(TemplateError) {
            guard let indent = style.indent else { return }
            try allocate(1 + indent.bytes.count * level)
            bytes.append(UInt8(ascii: "\n"))
            for _ in 0..<level { bytes += indent.bytes }
        }
        try deeper { () throws(TemplateError) in
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes += style.itemSeparator.bytes }
                try allocate(style.itemSeparator.bytes.count + style.keySeparator.bytes.count)
                try breakLine(level + 1)
                try writeElement(element, &bytes)
            }
        }
        if !elements.isEmpty { try breakLine(level) }
        bytes += closing.utf8
        try allocate(2)
    }

    private static func json(_ double: Double) -> String {
        if double.isNaN { return "NaN" }
        if double.isInfinite { return double < 0 ? "-Infinity" : "Infinity" }
        return PythonNumber.repr(double)
    }

    private func jsonKey(_ key: Value) throws(TemplateError) -> Text {
        switch key {
        case .text(let text): return text
        case .none: return "null"
        case .bool(let bool): return bool ? "true" : "false"
        case .int(let int): return Text(String(int))
        case .bigInteger(let integer): return Text(try digits(of: integer))
        case .double(let double): return Text(Interpreter.json(double))
        default: throw failure("keys must be str, int, float, bool or None, not \(key.typeName)")
        }
    }

    private static func quote(_ text: Text, _ style: JSONStyle, _ bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        if style.escapesNonASCII, !text.isASCII {
            for scalar in text.scalars {
                if scalar.isASCII {
                    escape(UInt8(scalar.value), &bytes)
                } else if scalar.isMarker {
                    bytes += Array(String(Character(scalar)).utf8)
                } else {
                    for unit in UTF16.encode(scalar) ?? .init() { bytes += "\\u\(fourDigits(unit))".utf8 }
                }
            }
        } else {
            for byte in text.bytes { escape(byte, &bytes) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func fourDigits(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    private static func escape(_ byte: UInt8, _ bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): bytes += "\\\"".utf8
        case UInt8(ascii: "\\"): bytes += "\\\\".utf8
        case 0x08: bytes += "\\b".utf8
        case 0x09: bytes += "\\t".utf8
        case 0x0A: bytes += "\\n".utf8
        case 0x0C: bytes += "\\f".utf8
        case 0x0D: bytes += "\\r".utf8
        case 0..<0x20: bytes += "\\u\(fourDigits(UInt16(byte)))".utf8
        default: bytes.append(byte)
        }
    }
}

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
