internal import JSON

/// What a family of Hugging Face models reads of its `config.json`, as its classes in transformers do: a key of another
/// family must not change what this one computes.
struct HuggingFaceFamily: Sendable {
    /// How the family treats `sliding_window`.
    enum Window: Sendable {
        /// Every layer sees all positions, whatever the key says.
        case none
        /// The key counts, and `layer_types` may take single layers out. An absent key means `absent` positions; null means
        /// all of them.
        case stated(absent: Int?)
    }

    /// The class's name in `architectures`.
    let architecture: String
    /// `model_type`, by which transformers chooses the class.
    let modelType: String
    /// Whether `attention_bias` and `mlp_bias` count.
    let readsBiases: Bool
    let window: Window
    /// Whether `partial_rotary_factor` counts where positions are not scaled.
    let readsPartialRotaryFactor: Bool
    /// `max_position_embeddings` where the key is absent.
    let defaultMaxPositionCount: Int?
    /// `num_key_value_heads` where the key is absent; nil: as many as query heads.
    let defaultKeyValueHeadCount: Int?

    /// The families whose classes were read (transformers 5.24, `models/llama` and `models/mistral`).
    private static let known = [
        HuggingFaceFamily(
            architecture: "LlamaForCausalLM", modelType: "llama", readsBiases: true, window: .none,
            readsPartialRotaryFactor: false, defaultMaxPositionCount: 2048, defaultKeyValueHeadCount: nil),
        HuggingFaceFamily(
            architecture: "MistralForCausalLM", modelType: "mistral", readsBiases: false, window: .stated(absent: 4096),
            readsPartialRotaryFactor: false, defaultMaxPositionCount: 131_072, defaultKeyValueHeadCount: 8),
    ]

    /// The family of the class `architecture`. One that is not known, such as a plugin's, reads every key that we do.
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

    /// The name of the class that `config` asks for. `model_type` decides where it is one of ours, whatever stands in
    /// `architectures`; a class of ours under a foreign `model_type` is that foreign model.
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
