/// One loading of a checkpoint's weights: what a loader is made from.
public struct WeightLoading: Sendable {
    /// What is loaded.
    public let checkpoint: Checkpoint
    /// What dense matrices become.
    public let type: WeightType
    /// Who hears of it.
    public let progress: LoadingProgress?

    /// The loading of `checkpoint`.
    public init(_ checkpoint: Checkpoint, _ type: WeightType = .auto, progress: LoadingProgress? = nil) {
        self.checkpoint = checkpoint
        self.type = type
        self.progress = progress
    }

    /// The loader that keeps packed matrices as the checkpoint has them.
    public func packedLoader() -> any WeightLoader {
        switch checkpoint.quantization {
        case .awq(let configuration): AWQWeightLoader(configuration, type, progress: progress)
        case .gptq(let configuration): GPTQWeightLoader(configuration, type, progress: progress)
        case .compressedTensors(let configuration):
            CompressedTensorsWeightLoader(configuration, type, progress: progress)
        case nil where checkpoint.configuration.format == .gguf: GGUFWeightLoader(type, progress: progress)
        case nil: DenseWeightLoader(type, progress: progress)
        }
    }

    /// The loader after which nothing is packed.
    public func denseLoader() -> any WeightLoader { DequantizingWeightLoader(packedLoader(), type) }

    /// The packed loader, for a configuration that calls it `name`. Throws `unsupported` where the checkpoint is of
    /// another format.
    public func packedLoader(named name: String) throws(WeightLoadingError) -> any WeightLoader {
        guard checkpoint.loaderName == name else {
            throw .unsupported(
                file: checkpoint.path, key: "model.loader", found: name,
                supported: "auto, dense, \(checkpoint.loaderName)")
        }
        return packedLoader()
    }
}
