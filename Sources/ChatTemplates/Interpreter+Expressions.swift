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

    /// Named arguments are searched linearly, so their number is limited.
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

    /// Applies a chain of filters to the text of a block; the first filter of the chain has no input of its own.
    func apply(_ chain: Expression, toBlock text: Value) throws(TemplateError) -> Value {
        guard case .filter(let input, let use) = chain.node else { return text }
        let value = if let input { try apply(input, toBlock: text) } else { text }
        return try evaluateFilter(use, value, line: chain.line)
    }
}

/// Attributes, items and slices.
extension Interpreter {
    /// `object.name`: a method or built-in attribute if there is one, otherwise the item of that name.
    func attribute(_ name: AttributeName, of object: Value) throws(TemplateError) -> Value {
        if let found = try builtInAttribute(name.text, name.method, of: object) { return found }
        switch object {
        case .undefined(let undefined): throw failure(undefined.message)
        case .dictionary(let dictionary):
            if let value = dictionary[.text(name.text)] { return value }
        default: break
        }
        return missing(name.text, of: object)
    }

    /// `object[key]`: the item if there is one, otherwise the method or built-in attribute of that name.
    func item(_ key: Value, of object: Value) throws(TemplateError) -> Value {
        try step(key.work)
        switch object {
        case .undefined(let undefined): throw failure(undefined.message)
        case .dictionary(let dictionary):
            if key.isHashable {
                try step(key.weight)
                if let value = dictionary[key] { return value }
            }
        case .sequence(let sequence) where [.list, .tuple, .range, .bytes].contains(sequence.kind):
            if let position = position(key, count: sequence.elements.count) { return sequence.elements[position] }
        case .text(let text):
            if case .int = key.asNumber {
                try step(object.work)
                if let position = position(key, count: text.count) { return .text(text.character(at: position)) }
            }
        default: break
        }
        if case .text(let name) = key {
            if let found = try builtInAttribute(name, MethodName(rawValue: name.string), of: object) { return found }
            return missing(name, of: object)
        }
        return undefined("'\(object.typeName) object' has no such element")
    }

    private func missing(_ name: Text, of object: Value) -> Value {
        .undefined(UndefinedValue(.attribute(of: object.typeName, name: name)))
    }

    private func position(_ key: Value, count: Int) -> Int? {
        guard case .int(let index) = key.asNumber else { return nil }
        let position = index < 0 ? index + count : index
        return position >= 0 && position < count ? position : nil
    }

    /// The result of Python's `getattr`; `nil`: there is no such attribute.
    private func builtInAttribute(
        _ name: Text, _ method: MethodName?, of object: Value
    ) throws(TemplateError) -> Value? {
        if let method, method.belongs(to: object) {
            if method.changes(object) {
                return .undefined(UndefinedValue(.unsafeAttribute(of: object.typeName, name: name)))
            }
            return try self.method(object, method)
        }
        switch object {
        case .namespace(let index):
            try step(namespaces[index].count / 8)
            return namespaces[index].first { $0.key == name }?.value
        case .loop(let loop): return attribute(name, of: loop)
        case .helper(let helper): return helper.attribute(name.string)
        case .sequence(let sequence) where sequence.isGroup && (name == "grouper" || name == "list"):
            return sequence.elements[name == "grouper" ? 0 : 1]
        case .macro(let index) where name == "name": return .string(macros[index].declaration.name)
        default: return nil
        }
    }

    /// `object[start:stop:step]`.
    func slice(
        _ object: Value, _ start: Value, _ stop: Value, _ step: Value
    ) throws(TemplateError) -> Value {
        let stride = try bound(step) ?? 1
        guard stride != 0 else { throw failure("slice step cannot be zero") }
        try self.step(object.work)
        switch object {
        case .undefined(let undefined): throw failure(undefined.message)
        case .sequence(let sequence) where [.list, .tuple, .range, .bytes].contains(sequence.kind):
            let positions = Slice(try bound(start), try bound(stop), stride, count: sequence.elements.count)
            let elements = positions.map { sequence.elements[$0] }
            guard sequence.kind == .range else { return try self.sequence(sequence.kind, elements) }
            let (first, _, step) = sequence.bounds
            let bounds = (
                first &+ positions.upcoming &* step, first &+ positions.stop &* step,
                step.multipliedSaturating(by: stride)
            )
            return try checked(
                .sequence(SequenceValue(.range, elements, bounds: bounds)), count: elements.count)
        case .text(let text):
            let isASCII = text.isASCII
            let scalars = isASCII ? [] : text.scalars
            let positions = Slice(
                try bound(start), try bound(stop), stride, count: isASCII ? text.bytes.count : scalars.count)
            let result = isASCII ? Text(positions.map { text.bytes[$0] }) : Text(positions.map { scalars[$0] })
            return try self.text(result.marked(text.isMarkup))
        default: throw failure("'\(object.typeName)' object cannot be sliced")
        }
    }

    private func bound(_ value: Value) throws(TemplateError) -> Int? {
        if case .none = value { return nil }
        if case .bigInteger(let integer) = value { return integer.isNegative ? .min : .max }
        return try index(value)
    }

    /// The integer that `value` is; Python takes truth values as 0 and 1.
    func index(_ value: Value) throws(TemplateError) -> Int {
        if case .undefined(let undefined) = value { throw failure(undefined.message) }
        if case .bigInteger = value { throw failure("an integer does not fit into 64 bits") }
        guard case .int(let int) = value.asNumber else {
            throw failure("'\(value.typeName)' object cannot be interpreted as an integer")
        }
        return int
    }
}

/// The indices that a slice selects, by Python's rules.
struct Slice: Sequence, IteratorProtocol {
    private(set) var upcoming: Int
    let stop: Int
    private let step: Int

    init(_ start: Int?, _ stop: Int?, _ step: Int, count: Int) {
        func clamped(_ bound: Int?, _ low: Int, _ high: Int, missing: Int) -> Int {
            guard let bound else { return missing }
            let position = bound < 0 ? bound.addingReportingOverflow(count).partialValue : bound
            return Swift.min(Swift.max(position, low), high)
        }
        let isForward = step > 0
        let (low, high) = isForward ? (0, count) : (-1, count - 1)
        upcoming = clamped(start, low, high, missing: isForward ? low : high)
        self.stop = clamped(stop, low, high, missing: isForward ? high : low)
        self.step = step
    }

    mutating func next() -> Int? {
        guard step > 0 ? upcoming < stop : upcoming > stop else { return nil }
        defer {
            let (sum, overflow) = upcoming.addingReportingOverflow(step)
            upcoming = overflow ? stop : sum
        }
        return upcoming
    }
}

extension Text {
    /// The code point at `position`.
    ///
    /// - Precondition: `position` is less than `count`.
    func character(at position: Int) -> Text {
        if isASCII { return Text([bytes[position]], isMarkup: isMarkup) }
        var left = position
        var start = 0
        while start < bytes.count {
            var end = start + 1
            while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
            if left == 0 { return Text(bytes[start..<end], isMarkup: isMarkup) }
            left -= 1
            start = end
        }
        return Text([UInt8]())
    }
}

/// Calls.
extension Interpreter {
    func evaluateCall(
        _ callee: Expression, _ arguments: Arguments, line: Int, caller: Value?
    ) throws(TemplateError) -> Value {
        if case .attribute(let object, let name) = callee.node, let method = name.method {
            let object = try evaluate(object)
            if method.belongs(to: object), !method.changes(object) {
                let arguments = try evaluate(arguments)
                self.line = line
                return try call(method, of: object, arguments)
            }
            return try call(try attribute(name, of: object), arguments, line: line, caller: caller)
        }
        return try call(try evaluate(callee), arguments, line: line, caller: caller)
    }

    private func call(
        _ callee: Value, _ arguments: Arguments, line: Int, caller: Value?
    ) throws(TemplateError) -> Value {
        var arguments = try evaluate(arguments)
        self.line = line
        if let caller { arguments.named.append(("caller", caller)) }
        switch callee {
        case .macro(let index): return try call(macro: index, arguments)
        case .function(let function): return try call(function, arguments)
        case .helper(let helper): return try call(helper, arguments)
        case .loop(let loop): return try call(loop, arguments)
        case .method(let method): return try call(method.name, of: method.receiver, arguments)
        case .undefined(let undefined): throw failure(undefined.message)
        default: throw failure("'\(callee.typeName)' object is not callable")
        }
    }

    private func call(
        _ method: MethodName, of object: Value, _ arguments: CallArguments
    ) throws(TemplateError) -> Value {
        try step(object.work)
        switch object {
        case .text(let text): return try call(method, of: text, arguments)
        case .dictionary(let dictionary): return try call(method, of: dictionary, arguments)
        case .sequence(let sequence): return try call(method, of: sequence, arguments)
        case .loop(let loop): return try call(method, of: loop, arguments)
        case .helper(let helper): return try call(method, of: helper, arguments)
        default: throw failure("'\(object.typeName)' object has no method '\(method.rawValue)'")
        }
    }

    private func call(_ function: GlobalFunction, _ arguments: CallArguments) throws(TemplateError) -> Value {
        switch function {
        case .range: return try range(arguments)
        case .dict:
            var entries: [DictionaryValue.Entry] = []
            if let first = arguments.positional.first { entries += try pairs(first) }
            guard arguments.positional.count <= 1 else { throw failure("dict expected at most 1 argument") }
            for argument in arguments.named { entries.append((.string(argument.name), argument.value)) }
            return try dictionary(entries)
        case .namespace: return try namespace(arguments)
        case .joiner: return try makeJoiner(arguments)
        case .cycler: return try makeCycler(arguments)
        case .raiseException:
            let values = try bind(arguments, ["message"], required: 1, "raise_exception")
            throw .raised(line: line, message: try string(of: values[0] ?? .none).string)
        case .strftimeNow:
            let values = try bind(arguments, ["format"], required: 1, "strftime_now")
            guard case .text(let format) = values[0] else { throw failure("strftime_now needs a string") }
            guard let time = clock.formatted(format.bytes) else {
                throw failure("strftime_now cannot use the format '\(format.string)'")
            }
            return try text(Text(time))
        }
    }

    private func namespace(_ arguments: CallArguments) throws(TemplateError) -> Value {
        var attributes: [(key: Text, value: Value)] = []
        var entries: [DictionaryValue.Entry] = []
        guard arguments.positional.count <= 1 else { throw failure("namespace expected at most 1 argument") }
        if let first = arguments.positional.first { entries += try pairs(first) }
        for argument in arguments.named { entries.append((.string(argument.name), argument.value)) }
        for entry in DictionaryValue(entries).entries {
            guard case .text(let name) = entry.key else { continue }
            attributes.append((name, entry.value))
        }
        try allocate(64 + 32 * attributes.count)
        namespaces.append(attributes)
        return .namespace(namespaces.count - 1)
    }

    /// The entries of a dictionary, or of a sequence of pairs.
    private func pairs(_ value: Value) throws(TemplateError) -> [DictionaryValue.Entry] {
        if case .dictionary(let dictionary) = value { return dictionary.entries }
        if case .undefined(let undefined) = value { throw failure(undefined.message) }
        var entries: [DictionaryValue.Entry] = []
        for element in try elements(value) {
            let pair = try elements(element)
            guard pair.count == 2 else { throw failure("a dictionary needs pairs") }
            guard pair[0].isHashable else { throw failure("a '\(pair[0].typeName)' cannot be a key") }
            entries.append((pair[0], pair[1]))
        }
        return entries
    }

    private func range(_ arguments: CallArguments) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty else { throw failure("range takes no named arguments") }
        var bounds: [Int] = []
        for value in arguments.positional { bounds.append(try index(value)) }
        guard (1...3).contains(bounds.count) else { throw failure("range expects 1 to 3 arguments") }
        let start = bounds.count == 1 ? 0 : bounds[0]
        let stop = bounds.count == 1 ? bounds[0] : bounds[1]
        let stride = bounds.count == 3 ? bounds[2] : 1
        guard stride != 0 else { throw failure("range() arg 3 must not be zero") }
        var elements: [Value] = []
        var next = start
        while stride > 0 ? next < stop : next > stop {
            guard elements.count < limits.rangeCount else {
                throw exceeded("a range has more than \(limits.rangeCount) elements")
            }
            elements.append(.int(next))
            let (sum, overflow) = next.addingReportingOverflow(stride)
            if overflow { break }
            next = sum
        }
        try step(elements.count / 8)
        return try checked(
            .sequence(SequenceValue(.range, elements, bounds: (start, stop, stride))), count: elements.count)
    }

    /// Assigns arguments to the parameters `names`, the first `required` of which need a value.
    func bind(
        _ arguments: CallArguments, _ names: [String], required: Int = 0, _ function: String
    ) throws(TemplateError) -> [Value?] {
        guard arguments.positional.count <= names.count else {
            throw failure("'\(function)' takes at most \(names.count) arguments")
        }
        var values: [Value?] = arguments.positional
        values += Array(repeating: nil, count: names.count - values.count)
        for argument in arguments.named {
            guard let position = names.firstIndex(of: argument.name) else {
                throw failure("'\(function)' has no argument '\(argument.name)'")
            }
            guard values[position] == nil else { throw failure("'\(function)' is given '\(argument.name)' twice") }
            values[position] = argument.value
        }
        for (name, value) in zip(names, values).prefix(required) where value == nil {
            throw failure("'\(function)' needs the argument '\(name)'")
        }
        return values
    }
}
