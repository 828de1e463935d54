/// A weight matrix `[outputSize, inputSize]` in one of the layouts that kernels know.
///
/// Checkpoint formats end here: loaders produce these layouts and no others, so that formats and backends add up
/// instead of multiplying.
public enum LinearWeights: Sendable {
    /// Row-major `[outputSize, inputSize]`.
    case dense(HostTensor)

    /// Columns of the matrix: how many numbers an input row has.
    public var inputSize: Int {
        switch self {
        case .dense(let tensor): tensor.shape[1]
        }
    }

    /// Rows of the matrix: how many numbers an output row has.
    public var outputSize: Int {
        switch self {
        case .dense(let tensor): tensor.shape[0]
        }
    }

    /// Bytes of the stored weights.
    public var byteCount: Int {
        switch self {
        case .dense(let tensor): tensor.byteCount
        }
    }
}
