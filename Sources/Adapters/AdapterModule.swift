public import Backends
public import Weights

/// A linear operation of the served model that adapters may change, and the names that adapters have for it.
public struct AdapterModule: Sendable {
    /// What a module is called in adapters of one format.
    public struct Name: Sendable, Hashable {
        /// `model.layers.0.self_attn.q_proj` or `blk.0.attn_q`.
        public let text: String
        /// For each row of the checkpoint's matrix, the row of the adapter's; nil: they have the same order. GGUF's
        /// converters move the rows of queries and keys of some families.
        public let rowOrder: [Int]?

        public init(_ text: String, rowOrder: [Int]? = nil) {
            self.text = text
            self.rowOrder = rowOrder
        }
    }

    public let names: [ModelMetadata.Format: Name]
    /// The rows of the checkpoint's matrix that the operation multiplies with; nil: all.
    public let rows: [Range<Int>]?
    public let inputSize, outputSize: Int
    /// The sets that hold adapters' matrices for it: `[rank, inputSize]` and `[outputSize, rank]` in each slot.
    public let down, up: MatrixSetID

    public init(
        names: [ModelMetadata.Format: Name], rows: [Range<Int>]? = nil, inputSize: Int, outputSize: Int,
        down: MatrixSetID, up: MatrixSetID
    ) {
        self.names = names
        self.rows = rows
        self.inputSize = inputSize
        self.outputSize = outputSize
        self.down = down
        self.up = up
    }
}

/// The modules of a served model, by the names that adapters have for them.
struct AdapterModules {
    private let modules: [ModelMetadata.Format: [String: [AdapterModule]]]

    /// What may stand before the layers of a text model: adapters are trained on the model alone, or as a part of others,
    /// and other parts, such as encoders of images, have layers too.
    private static let prefixes: Set<String> = [
        "", "model.", "language_model.model.", "model.language_model.", "language_model.", "text_model.",
        "model.text_model.", "model.language_model.model.", "transformer.", "gpt_neox.", "model.model.",
    ]

    init(_ list: [AdapterModule]) {
        var modules: [ModelMetadata.Format: [String: [AdapterModule]]] = [:]
        for module in list {
            for (format, name) in module.names {
                modules[format, default: [:]][Self.withoutPrefix(name.text) ?? name.text, default: []].append(module)
            }
        }
        self.modules = modules
    }

    /// The operations of the module `name`: several where the model is served with one matrix in parts; none where it has no
    /// such module.
    func operations(of name: String, format: ModelMetadata.Format) -> [AdapterModule] {
        guard let key = Self.withoutPrefix(name) else { return [] }
        return modules[format]?[key] ?? []
    }

    /// The name from its layer on, `layers.0.mlp.up_proj`; nil where other things stand before than `prefixes`.
    private static func withoutPrefix(_ name: String) -> String? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let number = parts.firstIndex(where: { Int($0) != nil }), number > 0 else { return nil }
        let prefix = parts[..<(number - 1)].map { $0 + "." }.joined()
        return prefixes.contains(prefix) ? parts[(number - 1)...].joined(separator: ".") : nil
    }
}
