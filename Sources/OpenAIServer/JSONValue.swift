/// A JSON value as it was written: members keep their order, numbers know whether they are integers.
enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number without fraction and exponent that fits 64 bits.
    case integer(Int)
    /// Any other number; always finite.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// What it is, for error messages: `a string`, `null`.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// Number or nil, whichever way it was written.
    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

/// The members of a JSON object in the order of the text; of equal keys the last one counts, as in most readers.
struct JSONObject: Sendable, Equatable {
    /// A key with its value.
    struct Member: Sendable, Equatable {
        var key: String
        var value: JSONValue
    }

    /// All members, duplicates included.
    var members: [Member] = []

    /// The last value of `key`; nil where the key is absent.
    subscript(key: String) -> JSONValue? {
        members.last { $0.key == key }?.value
    }

    /// Adds a member at the end.
    mutating func append(_ key: String, _ value: JSONValue) {
        members.append(Member(key: key, value: value))
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .integer(value) }
    init(floatLiteral value: Double) { self = .number(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(nilLiteral: ()) { self = .null }
    init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(members: elements.map { JSONObject.Member(key: $0.0, value: $0.1) }))
    }

    /// A string, or null.
    init(_ value: String?) { self = value.map(JSONValue.string) ?? .null }

    /// An array of integers.
    init(_ tokens: [Int32]) { self = .array(tokens.map { .integer(Int($0)) }) }
}
