internal import JSON

/// Which keys of `config.json` a family of Hugging Face models reads, like its classes in transformers. Keys that only
/// other families read must not change the results.
struct HuggingFaceFamily: Sendable {
    /// How the family reads `sliding_window`.
    enum Window: Sendable {
        /// The key is ignored; every layer has full attention.
        case none
        /// The key is read, and `layer_types` may exclude layers. An absent key means `absent` positions; null means
        /// full attention.
        case stated(absent: Int?)
    }

    /// The class's name in `architectures`.
    let architecture: String
    /// `model_type`, by which transformers chooses the class.
    let modelType: String
    /// Whether `attention_bias` and `mlp_bias` are read.
    let readsBiases: Bool
    let window: Window
    /// Whether `partial_rotary_factor` is read without rope scaling.
    let readsPartialRotaryFactor: Bool
    /// The default of `max_position_embeddings`.
    let defaultMaxPositionCount: Int?
    /// The default of `num_key_value_heads`; nil: the number of query heads.
    let defaultKeyValueHeadCount: Int?

    /// The known families (transformers 5.24, `models/llama` and `models/mistral`).
    private static let known = [
        HuggingFaceFamily(
            architecture: "LlamaForCausalLM", modelType: "llama", readsBiases: true, window: .none,
            readsPartialRotaryFactor: false, defaultMaxPositionCount: 2048, defaultKeyValueHeadCount: nil),
        HuggingFaceFamily(
            architecture: "MistralForCausalLM", modelType: "mistral", readsBiases: false, window: .stated(absent: 4096),
            readsPartialRotaryFactor: false, defaultMaxPositionCount: 131_072, defaultKeyValueHeadCount: 8),
    ]

    /// The family of the class `architecture`. An unknown family, such as a plugin's, reads all keys.
    init(architecture: String) {
        self =
            Self.known.first { $0.architecture == architecture }
            ?? HuggingFaceFamily(
                architecture: architecture, modelType: "", readsBiases: true, window: .stated(absent: nil),
                readsPartialRotaryFactor: true, defaultMaxPositionCount: nil, defaultKeyValueHeadCount: nil)
    }

    private init(
        architecture: String, modelType: String, readsBiases: Bool, window: Window, readsPartialRotaryFactor: Bool,
        defaultMaxPositionCount: Int?, defaultKeyValueHeadCount: Int?
    ) {
        self.architecture = architecture
        self.modelType = modelType
        self.readsBiases = readsBiases
        self.window = window
        self.readsPartialRotaryFactor = readsPartialRotaryFactor
        self.defaultMaxPositionCount = defaultMaxPositionCount
        self.defaultKeyValueHeadCount = defaultKeyValueHeadCount
    }

    /// The name of the model's class. A known `model_type` decides, regardless of `architectures`. A known class with
    /// an unknown `model_type` is a model of that unknown type.
    static func architecture(of config: JSONDocument) throws(WeightLoadingError) -> String {
        let stated: String? =
            switch config.value("architectures") {
            case .string(let name) where !name.isEmpty: name
            case .array(let elements):
                if case .string(let name) = elements.first, !name.isEmpty { name } else { nil }
            default: nil
            }
        guard let modelType = try config.string("model_type") else {
            if let stated { return stated }
            let expected = "a list of one architecture name"
            if let value = config.value("architectures") {
                throw config.error("architectures", expected: expected, found: value)
            }
            throw .missingKey(file: config.file, key: "architectures", expected: expected)
        }
        if let family = known.first(where: { $0.modelType == modelType }) { return family.architecture }
        guard let stated, !known.contains(where: { $0.architecture == stated }) else { return modelType }
        return stated
    }
}
