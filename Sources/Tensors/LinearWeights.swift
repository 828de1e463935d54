/// A weight matrix `[outputSize, inputSize]` in one of the layouts that backends know.
///
/// Weight loaders convert every checkpoint format to one of these layouts, so that a new format needs no change of a
/// backend.
public enum LinearWeights: Sendable {
    /// Row-major `[outputSize, inputSize]`, one number after another.
    case dense(HostTensor)
    /// Codes in few bits; several of them share a scale.
    case quantized(QuantizedMatrix)

    /// Columns of the matrix: the width of an input row.
    public var inputSize: Int {
        switch self {
        case .dense(let tensor): tensor.shape[1]
        case .quantized(let matrix): matrix.inputSize
        }
    }

    /// Rows of the matrix: the width of an output row.
    public var outputSize: Int {
        switch self {
        case .dense(let tensor): tensor.shape[0]
        case .quantized(let matrix): matrix.outputSize
        }
    }

    /// Bytes of the stored weights.
    public var byteCount: Int {
        switch self {
        case .dense(let tensor): tensor.byteCount
        case .quantized(let matrix): matrix.byteCount
        }
    }

    /// The type of dense weights, or the compute type of quantized weights.
    public var elementType: ElementType {
        switch self {
        case .dense(let tensor): tensor.elementType
        case .quantized(let matrix): matrix.computeType
        }
    }

    /// The order of the columns; nil where they are in order.
    public var inputOrder: [Int32]? {
        switch self {
        case .dense: nil
        case .quantized(let matrix): matrix.inputOrder
        }
    }

    /// Whether the numbers of both are stored alike, so that rows of both can be rows of one matrix.
    public func isStored(as other: LinearWeights) -> Bool {
        switch (self, other) {
        case (.dense(let left), .dense(let right)): left.elementType == right.elementType
        case (.quantized(let left), .quantized(let right)):
            left.layout == right.layout && left.inputOrder == right.inputOrder
        default: false
        }
    }

    /// Declares that the weights will not be read again soon. A backend calls it once it has its own copy.
    public func unload() {
        switch self {
        case .dense(let tensor): tensor.unload()
        case .quantized(let matrix): matrix.unload()
        }
    }
}
