/// A dense row-major tensor in host memory.
public struct HostTensor: Sendable {
    public let elementType: ElementType
    /// Extents, outermost first; `[rows, columns]` for a matrix.
    public let shape: [Int]
    private let memory: HostMemory
    private let byteOffset: Int

    /// A view of `memory` from `byteOffset` on. Precondition: the tensor is inside of the memory.
    public init(elementType: ElementType, shape: [Int], memory: HostMemory, byteOffset: Int = 0) {
        self.elementType = elementType
        self.shape = shape
        self.memory = memory
        self.byteOffset = byteOffset
        precondition(byteOffset >= 0 && byteOffset + byteCount <= memory.bytes.count, "tensor outside its memory")
    }

    /// Copies `values`, rounding each to `elementType`. Precondition: as many values as the shape has elements.
    public init(_ values: [Float], shape: [Int], as elementType: ElementType = .f32) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
        let memory = HostMemory(byteCount: values.count * elementType.byteCount) { target in
            guard let base = target.baseAddress else { return }
            for (index, value) in values.enumerated() { elementType.store(value, to: base, at: index) }
        }
        self.init(elementType: elementType, shape: shape, memory: memory)
    }

    public var elementCount: Int { shape.reduce(1, *) }

    public var byteCount: Int { elementCount * elementType.byteCount }

    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withExtendedLifetime(memory) { () throws(E) -> R in
            try body(UnsafeRawBufferPointer(rebasing: memory.bytes[byteOffset..<byteOffset + byteCount]))
        }
    }

    /// Declares that the bytes will not be read again soon.
    public func unload() { memory.unload(byteOffset..<byteOffset + byteCount) }

    /// The rows of `ranges` of a matrix, one range after another: a view of one range, a copy of several.
    /// Precondition: the ranges are inside of the matrix.
    func selectingRows(_ ranges: [Range<Int>]) -> HostTensor {
        let rowByteCount = shape[1] * elementType.byteCount
        let selected = [ranges.reduce(0) { $0 + $1.count }, shape[1]]
        if ranges.count == 1 {
            return HostTensor(
                elementType: elementType, shape: selected, memory: memory,
                byteOffset: byteOffset + ranges[0].lowerBound * rowByteCount)
        }
        let copy = HostMemory(byteCount: selected[0] * rowByteCount) { target in
            withUnsafeBytes { source in
                guard let from = source.baseAddress, var to = target.baseAddress else { return }
                for range in ranges {
                    to.copyMemory(from: from + range.lowerBound * rowByteCount, byteCount: range.count * rowByteCount)
                    to += range.count * rowByteCount
                }
            }
        }
        return HostTensor(elementType: elementType, shape: selected, memory: copy)
    }

    /// The numbers, widened to 32 bits.
    public func floats() -> [Float] {
        withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return [] }
            return (0..<elementCount).map { elementType.load(base, at: $0) }
        }
    }
}
