/// A weight matrix `[outputSize, inputSize]` in one of the layouts that kernels know.
///
/// Checkpoint formats end here: loaders produce these layouts and no others, so that formats and backends add up
/// instead of multiplying.
public enum LinearWeights: Sendable {
    /// Row-major `[outputSize, inputSize]`, one number after another.
    case dense(HostTensor)
    /// Packed: several numbers share a scale.
    case quantized(QuantizedMatrix)

    /// Columns of the matrix: how many numbers an input row has.
    public var inputSize: Int {
        switch self {
        case .dense(let tensor): tensor.shape[1]
        case .quantized(let matrix): matrix.inputSize
        }
    }

    /// Rows of the matrix: how many numbers an output row has.
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

    /// The type of the numbers, or what packed weights count as.
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

    /// Says that the weights will not be read again soon: a backend calls it once it has its own copy.
    public func unload() {
        switch self {
        case .dense(let tensor): tensor.unload()
        case .quantized(let matrix): matrix.unload()
        }
    }
}
