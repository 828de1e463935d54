internal import JSON
public import Tokenization

/// Where a checkpoint's tokenizer comes from.
public enum TokenizerOrigin: Sendable, Hashable {
    /// The path of a `tokenizer.json`, and the tokens that files beside it name.
    case tokenizerJSON(String, adding: [NamedToken])
    /// The vocabulary in the GGUF file itself.
    case gguf(GGUFVocabulary)

    /// The tokenizer at `path`: a `.gguf` file, of which only the vocabulary is read, a directory with a
    /// `tokenizer.json` and the files that belong to it, or a `tokenizer.json` file.
    public init(path: String) throws(WeightLoadingError) {
        if path.lowercased().hasSuffix(".gguf") {
            self = .gguf(try GGUFVocabulary(GGUFSource(file: path).metadata, file: path))
        } else if PathKind(of: path) == .directory {
            self = .tokenizerJSON(
                path.appendingPath("tokenizer.json"), adding: try TokenizerConfiguration(directory: path).addedTokens)
        } else {
            self = .tokenizerJSON(path, adding: [])
        }
    }
}

/// A model on disk, opened and checked: a Hugging Face directory or a GGUF file. Weights are mapped, not read.
public struct Checkpoint: Sendable {
    public let path: String
    public let configuration: ModelConfiguration
    public let source: any TensorSource
    /// The Jinja sources of chat templates by name: one named `default`, perhaps another named `tool_use`, or none.
    public let chatTemplates: [String: String]
    /// Where the tokenizer comes from.
    public let tokenizer: TokenizerOrigin
    /// Texts of special tokens under the names that chat templates use: `bos_token`, `eos_token`, `pad_token`.
    public let specialTokens: [String: String]

    /// Sentences for the log, such as missing keys and the values used instead.
    public let warnings: [String]

    /// How the matrices are quantized; nil: they are not, or the checkpoint is a GGUF file, whose tensors say it
    /// themselves.
    public let quantization: QuantizationConfiguration?

    /// The name of the weight loader for this checkpoint.
    public var loaderName: String { configuration.format == .gguf ? "gguf" : quantization?.loaderName ?? "dense" }

    /// Opens `path`: a directory with `config.json`, or a file that ends in `.gguf`. Throws `unsupported` before
    /// anything else is checked if the model's architecture is not one of `architectures`; nil accepts all.
    public init(path: String, architectures: [String]? = nil) throws(WeightLoadingError) {
        switch PathKind(of: path) {
        case .nothing: throw .unreadable(file: path, reason: "there is no such file or directory")
        case .directory: try self.init(directory: path, architectures)
        case .file:
            guard path.lowercased().hasSuffix(".gguf") else {
                throw .unreadable(file: path, reason: "a model is a .gguf file or a directory with config.json")
            }
            try self.init(gguf: path, architectures)
        }
    }

    private init(gguf path: String, _ architectures: [String]?) throws(WeightLoadingError) {
        let source = try GGUFSource.model(path)
        let metadata = GGUFMetadata(file: path, values: source.metadata)
        try Self.require(
            try ModelConfiguration.architecture(metadata), of: architectures, file: path, key: "general.architecture")
        let vocabulary = try GGUFVocabulary(source.metadata, file: path)
        self.path = path
        self.source = source
        configuration = try ModelConfiguration(gguf: source, vocabulary: vocabulary)
        chatTemplates = try Self.chatTemplates(metadata)
        specialTokens = vocabulary.specialTokens
        tokenizer = .gguf(vocabulary)
        warnings = vocabulary.warnings(file: path)
        quantization = nil
    }

    private init(directory: String, _ architectures: [String]?) throws(WeightLoadingError) {
        func file(_ name: String) -> String { directory.appendingPath(name) }
        func document(_ name: String) throws(WeightLoadingError) -> JSONDocument? {
            PathKind(of: file(name)) == .file ? try JSONDocument(file: file(name)) : nil
        }
        guard let config = try document("config.json") else {
            throw .unreadable(file: file("config.json"), reason: "the directory has no such file")
        }
        try Self.require(
            try HuggingFaceFamily.architecture(of: config), of: architectures, file: config.file, key: "architecture")
        let isTied = try config.bool("tie_word_embeddings") ?? true
        let source = RenamedSource.canonical(try Self.source(directory), isTied: isTied)
        let tokenizerConfiguration = try TokenizerConfiguration(directory: directory)
        path = directory
        self.source = source
        configuration = try ModelConfiguration(
            huggingFace: config, generation: try document("generation_config.json"),
            output: try Self.outputMatrix(source))
        quantization = try QuantizationConfiguration(
            config, orFirstOf: ["quantize_config.json", "quant_config.json"].map(file))
        chatTemplates = tokenizerConfiguration.chatTemplates
        tokenizer = .tokenizerJSON(file("tokenizer.json"), adding: tokenizerConfiguration.addedTokens)
        specialTokens = tokenizerConfiguration.specialTokens
        warnings = []
    }

    /// The chat template of a GGUF file, and others, whose keys end with their names.
    private static func chatTemplates(_ metadata: GGUFMetadata) throws(WeightLoadingError) -> [String: String] {
        let key = "tokenizer.chat_template"
        var templates: [String: String] = [:]
        templates["default"] = try metadata.string(key)
        for name in metadata.values.keys where name.hasPrefix(key + ".") {
            templates[String(name.dropFirst(key.count + 1))] = try metadata.string(name)
        }
        return templates
    }

    private static func require(
        _ architecture: String, of architectures: [String]?, file: String, key: String
    ) throws(WeightLoadingError) {
        guard let architectures, !architectures.contains(architecture) else { return }
        // Names of classes begin with a capital letter, GGUF's names do not.
        let isClass = key != "general.architecture"
        let names = architectures.filter { ($0.first?.isUppercase ?? false) == isClass }
        throw .unsupported(file: file, key: key, found: architecture, supported: names.joined(separator: ", "))
    }

    private static func outputMatrix(
        _ source: any TensorSource
    ) throws(WeightLoadingError) -> ModelConfiguration.OutputMatrix {
        let (table, output) = ("model.embed_tokens.weight", "lm_head.weight")
        // Quantizing a tied output matrix unties it, although the configuration may still say that it is tied.
        if ["qweight", "weight_packed"].contains(where: { source.shape(of: "lm_head.\($0)") != nil }) { return .own }
        guard source.shape(of: output) != nil else { return .none }
        guard source.shape(of: table) != nil else { return .own }
        return try source.tensor(named: output).hasNumbers(of: try source.tensor(named: table)) ? .embedding : .own
    }

    /// The tensors of `model.safetensors` if it exists, otherwise those of the sharded checkpoint's index. An index
    /// beside a single file may be left over from an older version of the model.
    private static func source(_ directory: String) throws(WeightLoadingError) -> any TensorSource {
        let single = directory.appendingPath("model.safetensors")
        if PathKind(of: single) == .file { return try SafetensorsSource(file: single) }
        let index = directory.appendingPath("model.safetensors.index.json")
        guard PathKind(of: index) == .file else {
            // Pickles run code when they are read.
            let pickles = ["pytorch_model.bin", "pytorch_model.bin.index.json"]
            let pickle = pickles.first { PathKind(of: directory.appendingPath($0)) == .file }
            let hint = pickle.map { "; \($0) belongs to a pickle, which has to be converted to safetensors" } ?? ""
            throw .unreadable(
                file: single, reason: "the directory has neither it nor model.safetensors.index.json\(hint)")
        }
        return try SafetensorsSource(index: index)
    }
}
