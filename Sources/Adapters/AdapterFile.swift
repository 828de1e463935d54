public import Weights

/// A LoRA adapter on disk (Hu et al., arXiv 2106.09685): a directory in PEFT's format, or a GGUF file.
///
/// Opening reads configuration and header only. `AdapterWeights` reads the matrices.
public struct AdapterFile: Sendable {
    /// The two matrices of one module. What the module computes gains `scale * up · (down · input)`.
    public struct Product: Sendable, Hashable {
        /// The module's name: `model.layers.0.self_attn.q_proj`, or `blk.0.attn_q` in GGUF files.
        public let module: String
        /// The tensors, `[rank, inputSize]` and `[outputSize, rank]`.
        public let down, up: String
        /// The rank that the adapter states.
        public let rank: Int
        public let scale: Double
    }

    /// The directory or file that was opened.
    public let path: String
    public let format: ModelMetadata.Format
    /// In the order of the names of the modules.
    public let products: [Product]
    /// The model that it was trained on, where the adapter names it: a name or path on the trainer's machine.
    public let baseModel: String?
    /// The highest rank.
    public var rank: Int { products.map(\.rank).max() ?? 0 }
    /// Bytes of all tensors.
    public var byteCount: Int { tensors.byteCount }
    let tensors: any TensorSource

    /// Larger headers are refused before they are parsed. That of a model with a hundred layers has 300 kB.
    static let maxHeaderByteCount = 4 << 20

    /// Opens the adapter at `path`. Throws `notAnAdapter` where there is none.
    public init(path: String) throws(AdapterError) {
        self.path = path
        switch PathKind(of: path) {
        case .nothing: throw .notAnAdapter(path: path, reason: "nothing is there")
        case .file:
            let opened = try GGUFAdapter(file: path)
            format = .gguf
            tensors = opened.source
            products = opened.products
            baseModel = opened.baseModel
        case .directory:
            let opened = try PEFTAdapter(directory: path)
            format = .huggingFace
            tensors = opened.source
            products = opened.products
            baseModel = opened.configuration.baseModel
        }
        guard !products.isEmpty else { throw .empty(file: tensors.file) }
    }
}
