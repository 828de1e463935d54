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

/// The type of a stored tensor. Raw values are the names in the file formats.
public enum StoredType: String, Sendable, Hashable, CaseIterable {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case f64 = "F64"
    case i8 = "I8"
    case i16 = "I16"
    case i32 = "I32"
    case i64 = "I64"
    case u8 = "U8"
    case u16 = "U16"
    case u32 = "U32"
    case u64 = "U64"
    case bool = "BOOL"
    case c64 = "C64"
    case f8E4M3 = "F8_E4M3"
    case f8E5M2 = "F8_E5M2"
    case f8E8M0 = "F8_E8M0"
    // GGUF block formats (ggml-common.h).
    case q4_0 = "Q4_0"
    case q4_1 = "Q4_1"
    case q5_0 = "Q5_0"
    case q5_1 = "Q5_1"
    case q8_0 = "Q8_0"
    case q4K = "Q4_K"
    case q5K = "Q5_K"
    case q6K = "Q6_K"

    /// The block format; nil for plain types.
    public var blockFormat: BlockFormat? {
        switch self {
        case .q4_0: .q4_0
        case .q4_1: .q4_1
        case .q5_0: .q5_0
        case .q5_1: .q5_1
        case .q8_0: .q8_0
        case .q4K: .q4K
        case .q5K: .q5K
        case .q6K: .q6K
        default: nil
        }
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
        case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4K, .q5K, .q6K: blockFormat?.byteCount ?? 0
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
