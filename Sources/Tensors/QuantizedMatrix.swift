/// A quantized weight matrix `[outputSize, inputSize]`, row after row in one of the layouts that backends know.
///
/// It holds no copy of the weights. Rows are made from the checkpoint when they are read, so that loading a model takes
/// little more memory than the model itself.
public struct QuantizedMatrix: Sendable {
    public let outputSize: Int
    public let inputSize: Int
    public let layout: QuantizedLayout
    /// The input of each stored column, `[inputSize]`; nil if columns are in order.
    ///
    /// A backend reorders activations instead of weights, so that groups stay together (GPTQ's `desc_act`).
    public let inputOrder: [Int32]?
    /// The type to which activations may be rounded before they are multiplied. Settings that follow the model's type, such
    /// as the cache's, take it as the type of these weights. The weights themselves are never rounded.
    public let computeType: ElementType
    private let rows: any QuantizedRows

    /// A matrix over `rows`. Precondition: `inputOrder` is a permutation of all inputs, and blocks are whole.
    public init(
        outputSize: Int, inputSize: Int, layout: QuantizedLayout, inputOrder: [Int32]? = nil,
        computeType: ElementType = .f32, rows: any QuantizedRows
    ) {
        precondition(inputOrder.map { $0.count == inputSize } ?? true, "an order of other inputs")
        if case .blocks(let format) = layout {
            precondition(inputSize % format.elementCount == 0, "rows are not whole blocks")
        }
        self.outputSize = outputSize
        self.inputSize = inputSize
        self.layout = layout
        self.inputOrder = inputOrder
        self.computeType = computeType
        self.rows = rows
    }

    /// Bytes of a stored row.
    public var rowByteCount: Int { layout.rowByteCount(inputSize: inputSize) }

    /// Bytes of all stored rows.
    public var byteCount: Int { outputSize * rowByteCount }

    /// Writes the stored rows `range` to `target`, `[range.count, rowByteCount]`. Threads may read at the same time.
    public func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
        precondition(range.lowerBound >= 0 && range.upperBound <= outputSize, "rows outside of the matrix")
        rows.read(range, into: target)
    }

    /// Declares that the rows will not be read again soon, so that their memory can be freed.
    public func unload() { rows.unload() }

    /// The numbers rounded to `elementType`, `[outputSize, inputSize]`, columns in the order of the inputs.
    public func dequantized(as elementType: ElementType = .f32) -> HostTensor {
        let memory = HostMemory(byteCount: outputSize * inputSize * elementType.byteCount) { target in
            guard let target = target.baseAddress else { return }
            withUnsafeTemporaryAllocation(byteCount: max(rowByteCount, 1), alignment: 16) { stored in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: inputSize) { floats in
                    guard let stored = stored.baseAddress, let floats = floats.baseAddress else { return }
                    for row in 0..<outputSize {
                        rows.read(row..<row + 1, into: stored)
                        layout.widen(stored, inputSize: inputSize, to: floats)
                        for column in 0..<inputSize {
                            let input = inputOrder.map { Int($0[column]) } ?? column
                            elementType.store(floats[column], to: target, at: row * inputSize + input)
                        }
                    }
                }
            }
        }
        return HostTensor(elementType: elementType, shape: [outputSize, inputSize], memory: memory)
    }
}

/// The source of the stored rows of a quantized matrix.
public protocol QuantizedRows: Sendable {
    /// Writes the stored rows `range` to `target`, one after another. Threads may call it at the same time.
    func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer)

    /// Is called when the rows will not be read again soon.
    func unload()
}

/// Rows that are in host memory already, in the matrix's layout.
public struct StoredRows: QuantizedRows {
    private let memory: HostMemory
    private let byteOffset: Int
    private let rowByteCount: Int

    /// Does nothing: the rows are the only copy.
    public func unload() {}

    /// Rows of `rowByteCount` bytes in `memory`, from `byteOffset` on.
    public init(_ memory: HostMemory, byteOffset: Int = 0, rowByteCount: Int) {
        self.memory = memory
        self.byteOffset = byteOffset
        self.rowByteCount = rowByteCount
    }

    public func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
        withExtendedLifetime(memory) {
            guard let start = memory.bytes.baseAddress, !range.isEmpty else { return }
            target.copyMemory(
                from: start + byteOffset + range.lowerBound * rowByteCount, byteCount: range.count * rowByteCount)
        }
    }
}
