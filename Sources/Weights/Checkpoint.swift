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
            self = .gguf(try GGUFVocabulary(GGUFSource.model(path).metadata, file: path))
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
    /// The facts of the model, for its architecture.
    public let metadata: ModelMetadata
    /// What the engine needs to know of the model.
    public let shape: ModelShape
    /// The name under which the model's architecture is registered.
    public let family: String
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
    public var loaderName: String { metadata.format == .gguf ? "gguf" : quantization?.loaderName ?? "dense" }

    /// Opens `path`: a directory with `config.json`, or a file that ends in `.gguf`. Throws `unsupported` before
    /// anything else is checked if the model is not of one of `families`; nil accepts all.
    public init(path: String, families: ModelFamilies? = nil) throws(WeightLoadingError) {
        switch PathKind(of: path) {
        case .nothing: throw .unreadable(file: path, reason: "there is no such file or directory")
        case .directory: try self.init(directory: path, families)
        case .file:
            guard path.lowercased().hasSuffix(".gguf") else {
                throw .unreadable(file: path, reason: "a model is a .gguf file or a directory with config.json")
            }
            try self.init(gguf: path, families)
        }
    }

    private init(gguf path: String, _ families: ModelFamilies?) throws(WeightLoadingError) {
        let source = try GGUFSource.model(path)
        let values = GGUFMetadata(file: path, values: source.metadata)
        guard let architecture = try values.string("general.architecture") else {
            throw .missingKey(file: path, key: "general.architecture", expected: "an architecture name")
        }
        let family =
            try families?.family(ofGGUF: architecture, file: path) ?? ModelFamily(gguf: [architecture])
        let vocabulary = try GGUFVocabulary(source.metadata, file: path)
        self.path = path
        self.source = source
        self.family = family.name
        metadata = ModelMetadata(values, architecture: architecture, family: family)
        shape = try ModelShape(metadata, vocabulary: vocabulary)
        chatTemplates = try Self.chatTemplates(values)
        specialTokens = vocabulary.specialTokens
        tokenizer = .gguf(vocabulary)
        warnings = vocabulary.warnings(file: path)
        quantization = nil
    }

    private init(directory: String, _ families: ModelFamilies?) throws(WeightLoadingError) {
        func file(_ name: String) -> String { directory.appendingPath(name) }
        func document(_ name: String) throws(WeightLoadingError) -> JSONDocument? {
            PathKind(of: file(name)) == .file ? try JSONDocument(file: file(name)) : nil
        }
        guard let config = try document("config.json") else {
            throw .unreadable(file: file("config.json"), reason: "the directory has no such file")
        }
        let known = if let families { families } else { try ModelFamilies.any(config) }
        let (family, text) = try known.family(of: config)
        let source = try Self.source(directory)
        let tokenizerConfiguration = try TokenizerConfiguration(directory: directory)
        path = directory
        self.source = source
        self.family = family.name
        metadata = try ModelMetadata(text, outer: config, family: family)
        shape = try ModelShape(
            metadata, text: text, config: config, generation: try document("generation_config.json"))
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
