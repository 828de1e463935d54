import CLibrary
public import Tensors

/// One tensor as its file stores it: a checked window into the mapped file.
public struct StoredTensor: Sendable {
    /// The file that holds it.
    public let file: String
    /// The checkpoint's name for it.
    public let name: String
    /// How its numbers are stored.
    public let type: StoredType
    /// Extents, outermost first; `[rows, columns]` for a matrix.
    public let shape: [Int]
    /// Bytes it takes in the file.
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

    /// How many numbers it holds.
    public var elementCount: Int { shape.reduce(1, *) }

    /// Lends the stored bytes.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withExtendedLifetime(memory) { () throws(E) -> R in
            try body(UnsafeRawBufferPointer(rebasing: memory.bytes[byteOffset..<byteOffset + byteCount]))
        }
    }

    /// Whether `other` is stored as the same bytes.
    func hasNumbers(of other: StoredTensor) -> Bool {
        guard type == other.type, shape == other.shape else { return false }
        return withUnsafeBytes { bytes in
            other.withUnsafeBytes { otherBytes in
                guard let start = bytes.baseAddress, let otherStart = otherBytes.baseAddress else { return true }
                return memcmp(start, otherStart, byteCount) == 0
            }
        }
    }

    /// Says that the bytes will not be read again soon.
    func unload() { memory.unload(byteOffset..<byteOffset + byteCount) }
}

/// Bytes of a tensor, or why its extents are impossible.
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
