/// The tensors of another source under the names that `LlamaForCausalLM` and its kin give them.
struct RenamedSource: TensorSource {
    private let source: any TensorSource
    /// The other source's name of each tensor.
    private let stored: [String: String]

    private init(_ source: any TensorSource, renaming: (String) -> String) {
        self.source = source
        stored = Dictionary(source.tensorNames.map { (renaming($0), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// `source`, or its tensors renamed where a checkpoint is of the decoder without its output matrix (`LlamaModel`), whose
    /// names lack the prefix, or has a table only as the output matrix that it is tied to: `isTied`.
    static func canonical(_ source: any TensorSource, isTied: Bool) -> any TensorSource {
        let (prefix, table, output) = ("model.", "embed_tokens.weight", "lm_head.weight")
        var source = source
        if source.shape(of: prefix + table) == nil, source.shape(of: table) != nil {
            source = RenamedSource(source) { $0.hasPrefix("lm_head.") ? $0 : prefix + $0 }
        }
        if isTied, source.shape(of: prefix + table) == nil, source.shape(of: output) != nil {
            source = RenamedSource(source) { $0 == output ? prefix + table : $0 }
        }
        return source
    }

    var file: String { source.file }
    var tensorNames: [String] { stored.keys.sorted() }
    var byteCount: Int { source.byteCount }

    func shape(of name: String) -> [Int]? { stored[name].flatMap { source.shape(of: $0) } }

    func tensor(named name: String) throws(WeightLoadingError) -> StoredTensor {
        try source.tensor(named: stored[name] ?? name)
    }
}
