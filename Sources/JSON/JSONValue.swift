/// A JSON value. Members keep their order, and integers are distinct from other numbers.
public enum JSONValue: Sendable, Equatable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number without fraction and exponent that fits into 64 bits.
    case integer(Int)
    /// A number without fraction and exponent beyond 64 bits: its decimal digits, after a minus sign where it is
    /// negative.
    case bigInteger(String)
    /// Any other number; one that is too large for 64-bit floating point is infinite, as in Python.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The kind of value, for error messages: `a string`, `null`.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .bigInteger, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// A description for error messages about files: `the string "ab"`, `an array`.
    public var summary: String {
        switch self {
        case .bool(let value): "the boolean \(value)"
        case .integer(let value): "the integer \(value)"
        case .bigInteger(let digits): "the integer \(digits.prefix(40))"
        case .number(let value): "the number \(value)"
        case .string(let value): "the string \"\(value.prefix(40))\""
        case .null, .array, .object: kind
        }
    }

    /// The value as a floating-point number; nil: it is not a number.
    public var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .bigInteger(let digits): Double(digits)
        case .number(let value): value
        default: nil
        }
    }

    /// The value of `key` where this is an object that has it; nil otherwise.
    public subscript(key: String) -> JSONValue? {
        if case .object(let object) = self { object[key] } else { nil }
    }

    /// The same value with every string in it, keys included, replaced by what `transform` makes of it.
    public func mappingStrings(_ transform: (String) -> String) -> JSONValue {
        switch self {
        case .null, .bool, .integer, .bigInteger, .number: return self
        case .string(let text): return .string(transform(text))
        case .array(let values): return .array(values.map { $0.mappingStrings(transform) })
        case .object(let object):
            let members = object.members.map { member in
                JSONObject.Member(key: transform(member.key), value: member.value.mappingStrings(transform))
            }
            return .object(JSONObject(members: members))
        }
    }

    /// A string, or null if `value` is nil.
    public init(_ value: String?) { self = value.map(JSONValue.string) ?? .null }

    /// An array of integers.
    public init(_ tokens: [Int32]) { self = .array(tokens.map { .integer(Int($0)) }) }
}

/// The members of a JSON object in the order of the text; of equal keys the last one counts, as in most readers.
public struct JSONObject: Sendable, Equatable {
    public struct Member: Sendable, Equatable {
        public var key: String
        public var value: JSONValue

        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// All members, including those with repeated keys.
    public var members: [Member]

    public init(members: [Member] = []) { self.members = members }

    /// The last value of `key`; nil where the key is absent. Looks at every member: for objects with few.
    ///
    /// A new value replaces that one, or is added at the end; nil removes every value of the key.
    public subscript(key: String) -> JSONValue? {
        get { members.last { $0.key == key }?.value }
        set {
            guard let newValue else { return members.removeAll { $0.key == key } }
            if let index = members.lastIndex(where: { $0.key == key }) {
                members[index].value = newValue
            } else {
                append(key, newValue)
            }
        }
    }

    /// Adds a member at the end.
    public mutating func append(_ key: String, _ value: JSONValue) {
        members.append(Member(key: key, value: value))
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(members: elements.map { JSONObject.Member(key: $0.0, value: $0.1) }))
    }
}
