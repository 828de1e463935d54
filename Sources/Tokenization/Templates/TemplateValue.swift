/// A value that a chat template sees: JSON's kinds, objects in order.
public indirect enum TemplateValue: Sendable, Equatable {
    /// Python's `None`.
    case null
    /// A truth value.
    case bool(Bool)
    /// An integer.
    case int(Int)
    /// An integer beyond 64 bits: its decimal digits, after a minus sign where it is negative.
    case bigInteger(String)
    /// A number that is not an integer.
    case double(Double)
    /// Text.
    case string(String)
    /// Values in order.
    case array([TemplateValue])
    /// Named values in order.
    case object(TemplateObject)

    /// The value of a key; `nil`: there is no such key, or this is no object.
    public subscript(key: String) -> TemplateValue? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    /// Whether both are the same value of the same kind; text is compared by scalars, not by canonical equivalence.
    public static func == (left: TemplateValue, right: TemplateValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.bigInteger(let left), .bigInteger(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

/// Named values in the order in which they were first given.
public struct TemplateObject: Sendable, Equatable {
    /// The names, each once, and their values.
    public private(set) var entries: [(key: String, value: TemplateValue)] = []

    /// No names.
    public init() {}

    /// The names and values of `entries`; of a repeated name the first place and the last value count, as in Python.
    public init(_ entries: some Sequence<(key: String, value: TemplateValue)>) {
        var places: [[UInt8]: Int] = [:]
        for entry in entries {
            let key = Array(entry.key.utf8)
            if let place = places[key] {
                self.entries[place].value = entry.value
            } else {
                places[key] = self.entries.count
                self.entries.append((entry.key, entry.value))
            }
        }
    }

    /// The value of a name; setting `nil` removes it.
    public subscript(key: String) -> TemplateValue? {
        get { entries.first { $0.key.utf8.elementsEqual(key.utf8) }?.value }
        set {
            let place = entries.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
            switch (place, newValue) {
            case (let place?, let value?): entries[place].value = value
            case (let place?, nil): entries.remove(at: place)
            case (nil, let value?): entries.append((key, value))
            case (nil, nil): break
            }
        }
    }

    /// Whether both have the same names, in any order, with equal values.
    public static func == (left: TemplateObject, right: TemplateObject) -> Bool {
        left.entries.count == right.entries.count && left.entries.allSatisfy { right[$0.key] == $0.value }
    }
}

extension TemplateValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An integer.
    public init(integerLiteral value: Int) { self = .int(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// None.
    public init(nilLiteral: ()) { self = .null }
    /// Values in order.
    public init(arrayLiteral elements: TemplateValue...) { self = .array(elements) }
    /// Named values in order.
    public init(dictionaryLiteral elements: (String, TemplateValue)...) {
        self = .object(TemplateObject(elements.map { (key: $0.0, value: $0.1) }))
    }
}
