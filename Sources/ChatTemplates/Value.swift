/// A value while a template runs: those of Python's types that chat templates need.
enum Value {
    case undefined(UndefinedValue)
    case none
    case bool(Bool)
    case int(Int)
    /// An integer that `int` cannot hold.
    case bigInteger(BigInteger)
    case double(Double)
    case text(Text)
    case sequence(SequenceValue)
    case dictionary(DictionaryValue)
    /// An index into the interpreter's table, so that a namespace that contains itself is not a reference cycle.
    case namespace(Int)
    /// An index into the interpreter's table.
    case macro(Int)
    case loop(LoopState)
    case helper(TemplateHelper)
    case function(GlobalFunction)
    case method(MethodValue)

    /// The nesting of containers, counting this one.
    var depth: Int {
        switch self {
        case .sequence(let sequence): sequence.depth
        case .dictionary(let dictionary): dictionary.depth
        case .loop(let loop): loop.depth
        case .helper(let helper): helper.depth
        case .method(let method): method.receiver.depth + 1
        default: 0
        }
    }

    /// The cost of comparing or hashing the whole value, in steps.
    var weight: Int {
        switch self {
        case .bigInteger(let integer): 1 + integer.digits.count / 8
        case .text(let text): 1 + text.bytes.count / 32
        case .sequence(let sequence): sequence.weight
        case .dictionary(let dictionary): dictionary.weight
        default: 1
        }
    }

    /// The cost of visiting each element once, in steps.
    var work: Int {
        switch self {
        case .text(let text): text.bytes.count / 32
        case .sequence(let sequence): sequence.elements.count / 8
        case .dictionary(let dictionary): dictionary.entries.count / 4
        default: 0
        }
    }

    /// The name of its type in Python.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .int, .bigInteger: "int"
        case .double: "float"
        case .text(let text): text.isMarkup ? "Markup" : "str"
        case .sequence(let sequence): sequence.kind.rawValue
        case .dictionary: "dict"
        case .namespace: "Namespace"
        case .macro: "Macro"
        case .loop: "LoopContext"
        case .helper(let helper): helper.typeName
        case .function: "function"
        case .method: "builtin_function_or_method"
        }
    }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }

    static func string(_ string: String) -> Value { .text(Text(string)) }
}

/// A missing value and the reason. Printing it writes nothing; most other uses fail.
final class UndefinedValue: Sendable {
    enum Reason: Sendable {
        case name(String)
        case attribute(of: String, name: Text)
        case unsafeAttribute(of: String, name: Text)
        case other(String)
    }
    let reason: Reason
    init(_ reason: Reason) { self.reason = reason }

    /// The error message for a use of the value.
    var message: String {
        switch reason {
        case .name(let name): "'\(name)' is undefined"
        case .attribute(let type, let name): "'\(type) object' has no attribute '\(name.string)'"
        case .unsafeAttribute(let type, let name):
            "access to attribute '\(name.string)' of '\(type)' object is unsafe."
        case .other(let message): message
        }
    }
}

/// A method of a value, not yet called.
final class MethodValue {
    let receiver: Value
    let name: MethodName
    init(_ receiver: Value, _ name: MethodName) {
        self.receiver = receiver
        self.name = name
    }
}

/// The functions that every template may call.
enum GlobalFunction: String, CaseIterable, Sendable {
    case range, dict, namespace, joiner, cycler, raiseException = "raise_exception", strftimeNow = "strftime_now"
}

/// An immutable sequence of values.
final class SequenceValue {
    enum Kind: String, Sendable {
        case list, tuple, range, generator
        /// The result of `encode`; its elements are integers.
        case bytes
        case keys = "dict_keys"
        case values = "dict_values"
        case items = "dict_items"
    }
    let kind: Kind
    let elements: [Value]
    let depth: Int
    let weight: Int
    let hasHashableElements: Bool
    /// Start, stop and step of a range.
    let bounds: (Int, Int, Int)
    /// Whether it is a result of `groupby`, a pair with the attributes `grouper` and `list`.
    let isGroup: Bool

    init(_ kind: Kind, _ elements: [Value], bounds: (Int, Int, Int) = (0, 0, 1), isGroup: Bool = false) {
        self.kind = kind
        self.isGroup = isGroup
        self.elements = elements
        self.bounds = bounds
        var depth = 0
        var weight = 1
        for element in elements {
            depth = max(depth, element.depth)
            weight = weight.addingSaturating(element.weight)
        }
        self.depth = depth + 1
        self.weight = weight
        hasHashableElements = kind == .tuple && elements.allSatisfy(\.isHashable)
    }
}

/// An immutable dictionary; entries are in the order in which their keys were inserted.
final class DictionaryValue {
    typealias Entry = (key: Value, value: Value)
    let entries: [Entry]
    let depth: Int
    let weight: Int
    private let positions: [Value: Int]
    /// Up to this number of entries, linear search is as fast as an index.
    private static let unindexed = 8

    /// A repeated key keeps its first position and gets its last value.
    init(_ given: [Entry]) {
        var entries: [Entry] = []
        var positions: [Value: Int] = [:]
        var depth = 0
        var weight = 1
        for entry in given {
            let position =
                given.count > Self.unindexed ? positions[entry.key] : entries.firstIndex { $0.key == entry.key }
            depth = max(depth, entry.key.depth, entry.value.depth)
            weight = weight.addingSaturating(entry.key.weight).addingSaturating(entry.value.weight)
            if let position {
                entries[position].value = entry.value
            } else {
                if given.count > Self.unindexed { positions[entry.key] = entries.count }
                entries.append(entry)
            }
        }
        self.entries = entries
        self.positions = positions
        self.depth = depth + 1
        self.weight = weight
    }

    subscript(key: Value) -> Value? {
        if positions.isEmpty { return entries.first { $0.key == key }?.value }
        return positions[key].map { entries[$0].value }
    }
}

/// The state of a running loop.
final class LoopState {
    let elements: [Value]
    var index = 0
    let depth: Int
    let serial: Int
    /// The depth of recursion of a recursive loop.
    let level: Int
    /// The loop and the scope around it if it is recursive and may be called with other elements.
    let recursion: (loop: Loop, scope: Scope)?

    init(_ elements: [Value], depth: Int, serial: Int, level: Int, recursion: (loop: Loop, scope: Scope)?) {
        self.elements = elements
        self.depth = depth
        self.serial = serial
        self.level = level
        self.recursion = recursion
    }
}

extension Int {
    func addingSaturating(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    func multipliedSaturating(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}

extension Value: Hashable {
    /// Python's `==`: numbers by value whatever their kind, containers by their elements.
    static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): true
        case (.text(let left), .text(let right)): left == right
        case (.sequence(let left), .sequence(let right)): equal(left, right)
        case (.dictionary(let left), .dictionary(let right)):
            left === right
                || left.entries.count == right.entries.count && left.entries.allSatisfy { right[$0.key] == $0.value }
        case (.namespace(let left), .namespace(let right)), (.macro(let left), .macro(let right)): left == right
        case (.loop(let left), .loop(let right)): left === right
        case (.helper(let left), .helper(let right)): left === right
        case (.function(let left), .function(let right)): left == right
        case (.method(let left), .method(let right)): left.name == right.name && left.receiver == right.receiver
        default: left.compareNumbers(right) == .equal
        }
    }

    private static func equal(_ left: SequenceValue, _ right: SequenceValue) -> Bool {
        if left === right { return true }
        switch left.kind {
        case .list, .tuple, .range, .bytes: return left.kind == right.kind && left.elements == right.elements
        case .keys: return left.kind == right.kind && Set(left.elements) == Set(right.elements)
        case .generator, .values, .items: return false
        }
    }

    func hash(into hasher: inout Hasher) {
        switch self {
        case .bool(let bool): hasher.combine(bool ? 1 : 0)
        case .int(let int): hasher.combine(int)
        // Hashed as a floating-point number, because one may be equal to it.
        case .bigInteger(let integer): hasher.combine(integer.double)
        case .double(let double):
            if let int = Int(exactly: double) { hasher.combine(int) } else { hasher.combine(double) }
        case .text(let text): hasher.combine(text)
        case .sequence(let sequence): hasher.combine(sequence.elements)
        case .namespace(let position): hasher.combine(position)
        default: break
        }
    }

    /// Whether the value may be the key of a dictionary.
    var isHashable: Bool {
        switch self {
        case .dictionary: false
        case .sequence(let sequence):
            switch sequence.kind {
            case .tuple: sequence.hasHashableElements
            case .range, .generator, .bytes: true
            case .list, .keys, .values, .items: false
            }
        default: true
        }
    }

    enum Order { case less, equal, greater, unordered }

    /// The exact order of two numbers; `nil`: not both values are numbers.
    func compareNumbers(_ other: Value) -> Order? {
        switch (asNumber, other.asNumber) {
        case (.int(let left), .int(let right)): left < right ? .less : left == right ? .equal : .greater
        case (.double(let left), .double(let right)):
            left < right ? .less : left == right ? .equal : left > right ? .greater : .unordered
        case (.int(let left), .double(let right)): Value.compare(left, right)
        case (.double(let left), .int(let right)):
            switch Value.compare(right, left) {
            case .less: .greater
            case .greater: .less
            case let same: same
            }
        case (.bigInteger(let left), .bigInteger(let right)):
            left < right ? .less : left == right ? .equal : .greater
        case (.bigInteger(let left), .int): left.isNegative ? .less : .greater
        case (.int, .bigInteger(let right)): right.isNegative ? .greater : .less
        case (.bigInteger(let left), .double(let right)): Value.compare(left, right)
        case (.double(let left), .bigInteger(let right)):
            switch Value.compare(right, left) {
            case .less: .greater
            case .greater: .less
            case let same: same
            }
        default: nil
        }
    }

    private static func compare(_ left: BigInteger, _ right: Double) -> Order {
        if right.isNaN { return .unordered }
        if right.isInfinite { return right < 0 ? .greater : .less }
        guard let whole = BigInteger(exactly: right.rounded(.towardZero)) else { return .unordered }
        // Beyond 64 bits a floating-point number has no fraction, and a smaller one differs from `left` in its integer
        // part.
        return left < whole ? .less : left == whole ? .equal : .greater
    }

    private static func compare(_ left: Int, _ right: Double) -> Order {
        if right.isNaN { return .unordered }
        if right >= 0x1p63 { return .less }
        if right < -0x1p63 { return .greater }
        let whole = Int(right.rounded(.down))
        if left != whole { return left < whole ? .less : .greater }
        return right > Double(whole) ? .less : .equal
    }

    /// The value if it is a number; truth values count as 0 and 1.
    var asNumber: Value? {
        switch self {
        case .bool(let bool): .int(bool ? 1 : 0)
        case .int, .bigInteger, .double: self
        default: nil
        }
    }

    /// Python's truth value; a generator is always true.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let bool): bool
        case .int(let int): int != 0
        case .double(let double): double != 0
        case .text(let text): !text.isEmpty
        case .sequence(let sequence): sequence.kind == .generator || !sequence.elements.isEmpty
        case .dictionary(let dictionary): !dictionary.entries.isEmpty
        case .bigInteger, .namespace, .macro, .loop, .helper, .function, .method: true
        }
    }
}
