extension Interpreter {
    /// `object.name`: a method or attribute, else the item of that name.
    func attribute(_ name: AttributeName, of object: Value) throws(TemplateError) -> Value {
        if let found = try ownAttribute(name.text, name.method, of: object) { return found }
        switch object {
        case .undefined(let undefined): throw failure(undefined.message)
        case .dictionary(let dictionary):
            if let value = dictionary[.text(name.text)] { return value }
        default: break
        }
        return missing(name.text, of: object)
    }

    /// `object[key]`: the item, else the method or attribute of that name.
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
            if let place = place(key, count: sequence.elements.count) { return sequence.elements[place] }
        case .text(let text):
            if case .int = key.asNumber {
                try step(object.work)
                if let place = place(key, count: text.count) { return .text(text.character(at: place)) }
            }
        default: break
        }
        if case .text(let name) = key {
            if let found = try ownAttribute(name, MethodName(rawValue: name.string), of: object) { return found }
            return missing(name, of: object)
        }
        return undefined("'\(object.typeName) object' has no such element")
    }

    private func missing(_ name: Text, of object: Value) -> Value {
        .undefined(UndefinedValue(.attribute(of: object.typeName, name: name)))
    }

    private func place(_ key: Value, count: Int) -> Int? {
        guard case .int(let index) = key.asNumber else { return nil }
        let place = index < 0 ? index + count : index
        return place >= 0 && place < count ? place : nil
    }

    /// What Python's `getattr` finds.
    private func ownAttribute(
        _ name: Text, _ method: MethodName?, of object: Value
    ) throws(TemplateError) -> Value? {
        if let method, method.belongs(to: object) {
            if method.changes(object) {
                return .undefined(UndefinedValue(.unsafeAttribute(of: object.typeName, name: name)))
            }
            return try self.method(object, method)
        }
        switch object {
        case .namespace(let place):
            try step(namespaces[place].count / 8)
            return namespaces[place].first { $0.key == name }?.value
        case .loop(let loop): return attribute(name, of: loop)
        case .helper(let helper): return helper.attribute(name.string)
        case .sequence(let sequence) where sequence.isGroup && (name == "grouper" || name == "list"):
            return sequence.elements[name == "grouper" ? 0 : 1]
        case .macro(let place) where name == "name": return .string(macros[place].declaration.name)
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
            let places = Slice(try bound(start), try bound(stop), stride, count: sequence.elements.count)
            let elements = places.map { sequence.elements[$0] }
            guard sequence.kind == .range else { return try self.sequence(sequence.kind, elements) }
            let (first, _, step) = sequence.bounds
            let bounds = (
                first &+ places.upcoming &* step, first &+ places.stop &* step, step.multipliedSaturating(by: stride)
            )
            return try checked(
                .sequence(SequenceValue(.range, elements, bounds: bounds)), count: elements.count)
        case .text(let text):
            let isASCII = text.isASCII
            let scalars = isASCII ? [] : text.scalars
            let places = Slice(
                try bound(start), try bound(stop), stride, count: isASCII ? text.bytes.count : scalars.count)
            let result = isASCII ? Text(places.map { text.bytes[$0] }) : Text(places.map { scalars[$0] })
            return try self.text(result.marked(text.isMarkup))
        default: throw failure("'\(object.typeName)' object cannot be sliced")
        }
    }

    private func bound(_ value: Value) throws(TemplateError) -> Int? {
        if case .none = value { return nil }
        if case .bigInteger(let integer) = value { return integer.isNegative ? .min : .max }
        return try index(value)
    }

    /// An integer, or a truth value as one.
    func index(_ value: Value) throws(TemplateError) -> Int {
        if case .undefined(let undefined) = value { throw failure(undefined.message) }
        if case .bigInteger = value { throw failure("an integer does not fit into 64 bits") }
        guard case .int(let int) = value.asNumber else {
            throw failure("'\(value.typeName)' object cannot be interpreted as an integer")
        }
        return int
    }
}

/// The places that a slice takes, as Python counts them.
struct Slice: Sequence, IteratorProtocol {
    private(set) var upcoming: Int
    let stop: Int
    private let step: Int

    init(_ start: Int?, _ stop: Int?, _ step: Int, count: Int) {
        func clamped(_ bound: Int?, _ low: Int, _ high: Int, missing: Int) -> Int {
            guard let bound else { return missing }
            let place = bound < 0 ? bound.addingReportingOverflow(count).partialValue : bound
            return Swift.min(Swift.max(place, low), high)
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
    /// The code point at a place that there is.
    func character(at place: Int) -> Text {
        if isASCII { return Text([bytes[place]], isMarkup: isMarkup) }
        var left = place
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
