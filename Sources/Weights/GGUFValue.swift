/// A value of a GGUF file's metadata.
public enum GGUFValue: Sendable, Hashable {
    case integer(Int)
    /// An unsigned integer beyond `Int.max`.
    case unsigned(UInt64)
    case number(Double)
    case bool(Bool)
    case string(String)
    case integers([Int])
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
        case .integers: "an array of integers"
        case .numbers: "an array of numbers"
        case .bools: "an array of booleans"
        case .strings: "an array of strings"
        case .arrays: "an array of arrays"
        }
    }
}
