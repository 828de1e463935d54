/// A packed weight matrix `[outputSize, inputSize]`, row after row in one of the layouts that kernels know.
///
/// It holds no copy of the weights: rows are made from the checkpoint when somebody reads them, so that loading a
/// model takes little more memory than the model.
public struct QuantizedMatrix: Sendable {
    /// Rows of the matrix.
    public let outputSize: Int
    /// Columns of the matrix.
    public let inputSize: Int
    /// How a row is stored.
    public let layout: QuantizedLayout
    /// For each stored column the input that it belongs to, `[inputSize]`; nil where columns are in order.
    ///
    /// Activations are brought into this order once, instead of weights (`desc_act`).
    public let inputOrder: [Int32]?
    /// What activations may be rounded to before they are multiplied, and how the weights count where something
    /// follows their type, as the cache may. The weights themselves are never rounded.
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

    /// Says that the rows will not be read again soon, so that memory behind them can be given up.
    public func unload() { rows.unload() }

    /// The numbers rounded to `elementType`, `[outputSize, inputSize]`, columns in the order of the inputs.
    public func dequantized(as elementType: ElementType = .f32) -> HostTensor {
        let memory = HostMemory(byteCount: outputSize * inputSize * elementType.byteCount) { target in
            guard let target = target.baseAddress else { return }
            withUnsafeTemporaryAllocation(byteCount: max(rowByteCount, 1), alignment: 16) { packed in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: inputSize) { floats in
                    guard let packed = packed.baseAddress, let floats = floats.baseAddress else { return }
                    for row in 0..<outputSize {
                        rows.read(row..<row + 1, into: packed)
                        layout.widen(packed, inputSize: inputSize, to: floats)
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

/// Where the stored rows of a packed matrix come from.
public protocol QuantizedRows: Sendable {
    /// Writes the stored rows `range` to `target`, one after another. Threads may call it at the same time.
    func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer)

    /// Hears that the rows will not be read again soon.
    func unload()
}

/// Rows that lie in host memory as the layout wants them.
public struct StoredRows: QuantizedRows {
    private let memory: HostMemory
    private let byteOffset: Int
    private let rowByteCount: Int

    /// Nothing to give up: the rows are the only copy.
    public func unload() {}

    /// Rows of `rowByteCount` bytes in `memory`, from `byteOffset` on.
    public init(_ memory: HostMemory, byteOffset: Int = 0, rowByteCount: Int) {
        self.memory = memory
        self.byteOffset = byteOffset
        self.rowByteCount = rowByteCount
    }

    /// Copies the rows.
    public func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) {
        withExtendedLifetime(memory) {
            guard let start = memory.bytes.baseAddress, !range.isEmpty else { return }
            target.copyMemory(
                from: start + byteOffset + range.lowerBound * rowByteCount, byteCount: range.count * rowByteCount)
        }
    }
}
