/// A value of a GGUF file's metadata.
public enum GGUFValue: Sendable, Hashable {
    case integer(Int)
    /// An unsigned integer beyond `Int.max`.
    case unsigned(UInt64)
    case number(Double)
    case bool(Bool)
    case string(String)
    /// A string that is not UTF-8.
    case invalidString
    case integers([Int])
    /// An array of unsigned integers, some of them beyond `Int.max`.
    case unsignedIntegers([UInt64])
    case numbers([Float])
    case bools([Bool])
    case strings([String])
    /// An array of arrays.
    case arrays([GGUFValue])

    /// What it is, for errors.
    public var kind: String {
        switch self {
        case .integer(let value): "the integer \(value)"
        case .unsigned(let value): "the integer \(value)"
        case .number(let value): "the number \(value)"
        case .bool(let value): "the boolean \(value)"
        case .string(let value): "the string \"\(value.prefix(40))\""
        case .invalidString: "a string that is not UTF-8"
        case .integers: "an array of integers"
        case .unsignedIntegers: "an array of integers, some beyond 63 bits"
        case .numbers: "an array of numbers"
        case .bools: "an array of booleans"
        case .strings: "an array of strings"
        case .arrays: "an array of arrays"
        }
    }
}
