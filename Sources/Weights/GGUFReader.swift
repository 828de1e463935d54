/// Reads the little-endian primitives of a GGUF header, never past its end.
struct GGUFReader {
    private let bytes: UnsafeRawBufferPointer
    private let file: String
    /// Offset of the next read.
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer, file: String) {
        self.bytes = bytes
        self.file = file
    }

    /// The number of bytes that are not read yet.
    var remaining: Int { bytes.count - offset }

    /// The next integer; `what` names it in the error.
    mutating func integer<T: FixedWidthInteger>(_: T.Type, _ what: String) throws(WeightLoadingError) -> T {
        guard remaining >= MemoryLayout<T>.size else { throw truncated(what) }
        defer { offset += MemoryLayout<T>.size }
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// The next count of elements. Each takes at least `minimumByteCount` bytes, so a count that does not fit the file
    /// is refused before memory is allocated for it.
    mutating func count(_ what: String, minimumByteCount: Int) throws(WeightLoadingError) -> Int {
        let count = try integer(UInt64.self, what)
        guard count <= UInt64(remaining / minimumByteCount) else {
            throw .malformed(
                file: file, reason: "\(what) of \(count) does not fit into the file, which is malformed or cut off")
        }
        return Int(count)
    }

    /// The next string: a 64-bit length and UTF-8.
    mutating func string(_ what: String) throws(WeightLoadingError) -> String {
        guard let string = try optionalString(what) else {
            throw .malformed(file: file, reason: "\(what) is not UTF-8")
        }
        return string
    }

    /// The next string; nil where it is not UTF-8.
    private mutating func optionalString(_ what: String) throws(WeightLoadingError) -> String? {
        let byteCount = try count("length of \(what)", minimumByteCount: 1)
        defer { offset += byteCount }
        return String(validating: bytes[offset..<offset + byteCount], as: UTF8.self)
    }

    /// The next metadata value, which follows its type.
    mutating func value(_ key: String) throws(WeightLoadingError) -> GGUFValue {
        try value(of: try integer(UInt32.self, "type of \(key)"), key, depth: 0)
    }

    private mutating func value(of type: UInt32, _ key: String, depth: Int) throws(WeightLoadingError) -> GGUFValue {
        switch type {
        case 0: return .integer(Int(try integer(UInt8.self, key)))
        case 1: return .integer(Int(try integer(Int8.self, key)))
        case 2: return .integer(Int(try integer(UInt16.self, key)))
        case 3: return .integer(Int(try integer(Int16.self, key)))
        case 4: return .integer(Int(try integer(UInt32.self, key)))
        case 5: return .integer(Int(try integer(Int32.self, key)))
        case 6: return .number(Double(Float(bitPattern: try integer(UInt32.self, key))))
        case 7: return .bool(try integer(UInt8.self, key) != 0)
        case 8: return try optionalString(key).map { .string($0) } ?? .invalidString
        case 9: return try array(key, depth: depth)
        case 10:
            let value = try integer(UInt64.self, key)
            return Int(exactly: value).map { .integer($0) } ?? .unsigned(value)
        case 11: return .integer(Int(try integer(Int64.self, key)))
        case 12: return .number(Double(bitPattern: try integer(UInt64.self, key)))
        default: throw .malformed(file: file, reason: "key \(key) has unknown type \(type)")
        }
    }

    private mutating func array(_ key: String, depth: Int) throws(WeightLoadingError) -> GGUFValue {
        guard depth < 4 else { throw .malformed(file: file, reason: "key \(key) nests arrays too deep") }
        let type = try integer(UInt32.self, "element type of \(key)")
        let sizes = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8]
        guard type < sizes.count else {
            throw .malformed(file: file, reason: "key \(key) has unknown element type \(type)")
        }
        let count = try count("element count of \(key)", minimumByteCount: sizes[Int(type)])
        switch type {
        case 6:
            return .numbers(
                try elements(count) { reader throws(WeightLoadingError) in
                    Float(bitPattern: try reader.integer(UInt32.self, key))
                })
        case 12:
            return .numbers(
                try elements(count) { reader throws(WeightLoadingError) in
                    Float(Double(bitPattern: try reader.integer(UInt64.self, key)))
                })
        case 7:
            return .bools(
                try elements(count) { reader throws(WeightLoadingError) in
                    try reader.integer(UInt8.self, key) != 0
                })
        case 8: return .strings(try elements(count) { reader throws(WeightLoadingError) in try reader.string(key) })
        case 9:
            return .arrays(
                try elements(count) { reader throws(WeightLoadingError) in
                    try reader.array(key, depth: depth + 1)
                })
        case 10:
            let values = try elements(count) { reader throws(WeightLoadingError) in
                try reader.integer(UInt64.self, key)
            }
            let integers = values.compactMap { Int(exactly: $0) }
            return integers.count == count ? .integers(integers) : .unsignedIntegers(values)
        default:
            return .integers(
                try elements(count) { reader throws(WeightLoadingError) in
                    switch try reader.value(of: type, key, depth: depth) {
                    case .integer(let integer): return integer
                    case let other:
                        throw .malformed(file: reader.file, reason: "key \(key) holds \(other.kind), too large")
                    }
                })
        }
    }

    private mutating func elements<T>(
        _ count: Int, _ next: (inout GGUFReader) throws(WeightLoadingError) -> T
    ) throws(WeightLoadingError) -> [T] {
        var elements: [T] = []
        // The reservation is limited, because elements take more memory than bytes in the file.
        elements.reserveCapacity(min(count, 1 << 16))
        for _ in 0..<count { elements.append(try next(&self)) }
        return elements
    }

    private func truncated(_ what: String) -> WeightLoadingError {
        .malformed(file: file, reason: "the file ends inside \(what); it was cut off, so download or copy it again")
    }
}

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

    /// A description for errors: `an array of strings`.
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
