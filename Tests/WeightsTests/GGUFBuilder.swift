/// Writes GGUF files, including malformed ones: tests set every field.
struct GGUFBuilder {
    /// A tensor's entry and its bytes.
    struct Tensor {
        var name: String
        var dimensions: [UInt64]
        var type: UInt32 = 0
        var offset: UInt64?
        var data: [UInt8] = []
    }

    var magic: [UInt8] = Array("GGUF".utf8)
    var version: UInt32 = 3
    var tensorCount: UInt64?
    var pairCount: UInt64?
    var alignment = 32
    private var pairs: [[UInt8]] = []
    var tensors: [Tensor] = []

    /// Little-endian bytes.
    static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
    }

    /// Length and bytes of a string.
    static func string(_ text: String) -> [UInt8] { bytes(UInt64(text.utf8.count)) + Array(text.utf8) }

    /// Adds a pair whose value is `payload` of type `type`.
    mutating func add(_ key: String, type: UInt32, payload: [UInt8]) {
        pairs.append(Self.string(key) + Self.bytes(type) + payload)
    }

    mutating func add(_ key: String, _ value: UInt32) { add(key, type: 4, payload: Self.bytes(value)) }
    mutating func add(_ key: String, _ value: Float) { add(key, type: 6, payload: Self.bytes(value.bitPattern)) }
    mutating func add(_ key: String, _ value: Bool) { add(key, type: 7, payload: [value ? 1 : 0]) }
    mutating func add(_ key: String, _ value: String) { add(key, type: 8, payload: Self.string(value)) }

    mutating func add(_ key: String, _ values: [String]) {
        let elements = values.flatMap { Self.string($0) }
        add(key, type: 9, payload: Self.bytes(UInt32(8)) + Self.bytes(UInt64(values.count)) + elements)
    }

    mutating func add(_ key: String, _ values: [Int32]) {
        let elements = values.flatMap { Self.bytes($0) }
        add(key, type: 9, payload: Self.bytes(UInt32(5)) + Self.bytes(UInt64(values.count)) + elements)
    }

    /// Adds an f32 tensor, dimensions innermost first, as in the file.
    mutating func add(_ name: String, _ values: [Float], dimensions: [UInt64]) {
        tensors.append(
            Tensor(name: name, dimensions: dimensions, data: values.flatMap { Self.bytes($0.bitPattern) }))
    }

    /// The file's bytes.
    func build() -> [UInt8] {
        var header = magic + Self.bytes(version)
        header += Self.bytes(tensorCount ?? UInt64(tensors.count)) + Self.bytes(pairCount ?? UInt64(pairs.count))
        header += pairs.flatMap { $0 }
        var data: [UInt8] = []
        for tensor in tensors {
            data += [UInt8](repeating: 0, count: (alignment - data.count % alignment) % alignment)
            header += Self.string(tensor.name) + Self.bytes(UInt32(tensor.dimensions.count))
            header += tensor.dimensions.flatMap { Self.bytes($0) }
            header += Self.bytes(tensor.type) + Self.bytes(tensor.offset ?? UInt64(data.count))
            data += tensor.data
        }
        return header + [UInt8](repeating: 0, count: (alignment - header.count % alignment) % alignment) + data
    }
}
