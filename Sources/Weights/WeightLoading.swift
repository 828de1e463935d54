import Synchronization

/// The arguments of a weight loader: the checkpoint, the type of dense matrices, and the progress to report.
public struct WeightLoading: Sendable {
    public let checkpoint: Checkpoint
    /// The type to which dense matrices are converted.
    public let type: WeightType
    public let progress: LoadingProgress?

    public init(_ checkpoint: Checkpoint, _ type: WeightType = .auto, progress: LoadingProgress? = nil) {
        self.checkpoint = checkpoint
        self.type = type
        self.progress = progress
    }

    /// The loader of the checkpoint's format. Quantized matrices stay quantized.
    public func quantizedLoader() -> any WeightLoader {
        switch checkpoint.quantization {
        case let configuration?: QuantizedWeightLoader(configuration, type, progress: progress)
        case nil where checkpoint.metadata.format == .gguf: GGUFWeightLoader(type, progress: progress)
        case nil: DenseWeightLoader(type, progress: progress)
        }
    }

    /// A loader that dequantizes quantized matrices.
    public func denseLoader() -> any WeightLoader { DequantizingWeightLoader(quantizedLoader(), type) }

    /// `quantizedLoader()`, if the user's configuration names it correctly. Throws `unsupported` if the checkpoint has
    /// another format than `name`.
    public func quantizedLoader(named name: String) throws(WeightLoadingError) -> any WeightLoader {
        guard checkpoint.loaderName == name else {
            throw .unsupported(
                file: checkpoint.path, key: "model.loader", found: name,
                supported: "auto, dense, \(checkpoint.loaderName)")
        }
        return quantizedLoader()
    }
}

/// Sums the bytes that loaders have read and reports the sum.
///
/// The sum can stay below the total, because a checkpoint may hold tensors that the model does not use.
public final class LoadingProgress: Sendable {
    /// Bytes of all tensors of the checkpoint.
    public let totalByteCount: Int
    private let completed = Mutex(0)
    private let onProgress: @Sendable (_ completedByteCount: Int, _ totalByteCount: Int) -> Void

    /// Calls `onProgress` about once for each converted mebibyte and once for each tensor that needs no conversion.
    public init(
        totalByteCount: Int,
        onProgress: @escaping @Sendable (_ completedByteCount: Int, _ totalByteCount: Int) -> Void
    ) {
        self.totalByteCount = totalByteCount
        self.onProgress = onProgress
    }

    /// Bytes read so far.
    public var completedByteCount: Int { completed.withLock { $0 } }

    /// Counts `byteCount` more bytes.
    public func advance(by byteCount: Int) {
        let sum = completed.withLock { sum in
            sum = min(sum + byteCount, totalByteCount)
            return sum
        }
        onProgress(sum, totalByteCount)
    }
}
