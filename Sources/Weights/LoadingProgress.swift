internal import Synchronization

/// Adds up the bytes that loaders have read and tells somebody.
///
/// A checkpoint may hold tensors that the model does not use: the sum can stay below the total.
public final class LoadingProgress: Sendable {
    /// Bytes of all tensors of the checkpoint.
    public let totalByteCount: Int
    private let completed = Mutex(0)
    private let report: @Sendable (_ completedByteCount: Int, _ totalByteCount: Int) -> Void

    /// Calls `report` about once for each mebibyte that was converted and once for each tensor that needs no conversion.
    public init(
        totalByteCount: Int,
        report: @escaping @Sendable (_ completedByteCount: Int, _ totalByteCount: Int) -> Void
    ) {
        self.totalByteCount = totalByteCount
        self.report = report
    }

    /// Bytes that were read so far.
    public var completedByteCount: Int { completed.withLock { $0 } }

    /// Counts `byteCount` more bytes.
    public func advance(by byteCount: Int) {
        let sum = completed.withLock { sum in
            sum = min(sum + byteCount, totalByteCount)
            return sum
        }
        report(sum, totalByteCount)
    }
}
