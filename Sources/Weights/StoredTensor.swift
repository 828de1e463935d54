import CLibrary
public import Tensors

/// One tensor in its stored form: a range of the mapped file that was checked.
public struct StoredTensor: Sendable {
    public let file: String
    public let name: String
    public let type: StoredType
    /// Extents, outermost first; `[rows, columns]` for a matrix.
    public let shape: [Int]
    public let byteCount: Int
    let memory: HostMemory
    let byteOffset: Int

    /// A window of `memory` from `byteOffset` on. Precondition: the source has checked that the shape's product fits
    /// and that the window lies inside the memory.
    public init(
        file: String, name: String, type: StoredType, shape: [Int], memory: HostMemory, byteOffset: Int = 0
    ) {
        self.file = file
        self.name = name
        self.type = type
        self.shape = shape
        self.memory = memory
        self.byteOffset = byteOffset
        byteCount = shape.reduce(1, *) / type.blockElementCount * type.blockByteCount
        precondition(byteOffset >= 0 && byteOffset + byteCount <= memory.bytes.count, "tensor outside its file")
    }

    public var elementCount: Int { shape.reduce(1, *) }

    /// The same numbers with other extents. Precondition: as many elements.
    public func reshaped(_ shape: [Int]) -> StoredTensor {
        precondition(shape.reduce(1, *) == elementCount, "\(shape) has not as many elements as \(self.shape)")
        return StoredTensor(file: file, name: name, type: type, shape: shape, memory: memory, byteOffset: byteOffset)
    }

    /// Calls `body` with the stored bytes.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withExtendedLifetime(memory) { () throws(E) -> R in
            try body(UnsafeRawBufferPointer(rebasing: memory.bytes[byteOffset..<byteOffset + byteCount]))
        }
    }

    /// Whether `other` has the same type, shape and bytes.
    public func hasNumbers(of other: StoredTensor) -> Bool {
        guard type == other.type, shape == other.shape else { return false }
        return withUnsafeBytes { bytes in
            other.withUnsafeBytes { otherBytes in
                guard let start = bytes.baseAddress, let otherStart = otherBytes.baseAddress else { return true }
                return memcmp(start, otherStart, byteCount) == 0
            }
        }
    }

    /// Releases the tensor's pages; they are read from the file again if needed.
    func unload() { memory.unload(byteOffset..<byteOffset + byteCount) }
}

/// The size of a tensor.
enum TensorExtent {
    /// Bytes that `shape` takes in `type`; nil when an extent is negative or the product does not fit.
    static func byteCount(_ shape: [Int], _ type: StoredType) -> Int? {
        var elementCount = 1
        for extent in shape {
            let (product, overflow) = elementCount.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else { return nil }
            elementCount = product
        }
        let (byteCount, overflow) = (elementCount / type.blockElementCount)
            .multipliedReportingOverflow(by: type.blockByteCount)
        return overflow ? nil : byteCount
    }
}

/// The type of a stored tensor: numbers one by one, or one of GGUF's block formats. Raw values are the names in the file
/// formats.
public enum StoredType: Sendable, Hashable, CaseIterable {
    case f32, f16, bf16, f64
    case i8, i16, i32, i64
    case u8, u16, u32, u64
    case bool, c64
    case f8E4M3, f8E5M2, f8E8M0
    case blocks(BlockFormat)

    private static let plain: [(type: StoredType, name: String)] = [
        (.f32, "F32"), (.f16, "F16"), (.bf16, "BF16"), (.f64, "F64"), (.i8, "I8"), (.i16, "I16"), (.i32, "I32"),
        (.i64, "I64"), (.u8, "U8"), (.u16, "U16"), (.u32, "U32"), (.u64, "U64"), (.bool, "BOOL"), (.c64, "C64"),
        (.f8E4M3, "F8_E4M3"), (.f8E5M2, "F8_E5M2"), (.f8E8M0, "F8_E8M0"),
    ]

    public static let allCases = plain.map(\.type) + BlockFormat.allCases.map { .blocks($0) }

    /// The type with this name; nil: there is none.
    public init?(rawValue: String) {
        if let plain = Self.plain.first(where: { $0.name == rawValue }) {
            self = plain.type
        } else if let format = BlockFormat(rawValue: rawValue) {
            self = .blocks(format)
        } else {
            return nil
        }
    }

    /// The type's name in the file formats: `BF16`, `Q4_K`.
    public var rawValue: String {
        if case .blocks(let format) = self { return format.rawValue }
        return Self.plain.first { $0.type == self }?.name ?? ""
    }

    /// The block format; nil for plain types.
    public var blockFormat: BlockFormat? {
        if case .blocks(let format) = self { return format }
        return nil
    }

    /// Numbers in a block; 1 for plain types.
    public var blockElementCount: Int { blockFormat?.elementCount ?? 1 }

    /// Bytes of a block.
    public var blockByteCount: Int {
        switch self {
        case .i8, .u8, .bool, .f8E4M3, .f8E5M2, .f8E8M0: 1
        case .f16, .bf16, .i16, .u16: 2
        case .f32, .i32, .u32: 4
        case .f64, .i64, .u64, .c64: 8
        case .blocks(let format): format.byteCount
        }
    }

    /// The same type if kernels support it; otherwise nil.
    public var elementType: ElementType? {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        default: nil
        }
    }

    /// Whether numbers of this type can be converted: all floats except those of 8 bits, whose scales are in other
    /// tensors.
    var isConvertible: Bool { elementType != nil || self == .f64 || isQuantized }

    /// Whether several numbers share a scale.
    public var isQuantized: Bool { blockFormat != nil }
}
