/// A JSON value as it was written: members keep their order, numbers know whether they are integers.
public enum JSONValue: Sendable, Equatable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number without fraction and exponent that fits 64 bits.
    case integer(Int)
    /// A number without fraction and exponent beyond 64 bits: its decimal digits, after a minus sign where it is negative.
    case bigInteger(String)
    /// Any other number; what is too large for 64-bit floating point is infinite, as in Python.
    case number(Double)
    /// Text.
    case string(String)
    /// Values in order.
    case array([JSONValue])
    /// Named values in order.
    case object(JSONObject)

    /// What kind it is, for error messages: `a string`, `null`.
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

    /// What it is, for error messages about files: `the string "ab"`, `an array`.
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

    /// Number or nil, whichever way it was written.
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

    /// A string, or null.
    public init(_ value: String?) { self = value.map(JSONValue.string) ?? .null }

    /// An array of integers.
    public init(_ tokens: [Int32]) { self = .array(tokens.map { .integer(Int($0)) }) }
}

/// The members of a JSON object in the order of the text; of equal keys the last one counts, as in most readers.
public struct JSONObject: Sendable, Equatable {
    /// A key with its value.
    public struct Member: Sendable, Equatable {
        public var key: String
        public var value: JSONValue

        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// All members, duplicates included.
    public var members: [Member]

    /// An object of `members`.
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
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An integer.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// Values in order.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// Named values in order.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(members: elements.map { JSONObject.Member(key: $0.0, value: $0.1) }))
    }
}
