internal import JSON

/// The names of a family of models in checkpoints, and how its class in transformers reads `config.json`.
///
/// ```swift
/// ModelFamily("Qwen3", modelTypes: ["qwen3"], classes: ["Qwen3ForCausalLM"], gguf: ["qwen3"], defaults: ["head_dim": 128])
/// ```
public struct ModelFamily: Sendable, Hashable {
    /// The published models of the family, for lists.
    public let title: String
    /// Values of `model_type` in `config.json`.
    public let modelTypes: [String]
    /// Values of `architectures` in `config.json`, which decide where `model_type` is absent.
    public let classes: [String]
    /// Values of `general.architecture` in GGUF files.
    public let gguf: [String]
    /// Architectures of the family's GGUF files that another family reads: converters give DeepSeek-V3 the name of V2.
    public let sharedGGUF: [String]
    /// Where `config.json` has another name for a key: `["hidden_size": "n_embd"]`.
    public let aliases: [String: String]
    /// Values of keys that `config.json` leaves out, as in transformers' configuration class. A key that is null has none.
    public let defaults: [String: Default]

    /// The value of an absent key.
    public enum Default: Sendable, Hashable {
        case integer(Int)
        case number(Double)
        case bool(Bool)
        case string(String)
    }

    public init(
        _ title: String? = nil, modelTypes: [String] = [], classes: [String] = [], gguf: [String] = [],
        sharedGGUF: [String] = [], aliases: [String: String] = [:],
        defaults: [String: Default] = [:]
    ) {
        precondition(!(modelTypes + classes + gguf).isEmpty, "a family without names")
        self.title = title ?? modelTypes.first ?? gguf.first ?? classes.first ?? ""
        self.modelTypes = modelTypes
        self.classes = classes
        self.gguf = gguf
        self.sharedGGUF = sharedGGUF
        self.aliases = aliases
        self.defaults = defaults
    }

    /// The family's name in registries and messages.
    public var name: String { modelTypes.first ?? gguf.first ?? classes.first ?? "" }
}

extension ModelFamily.Default: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByStringLiteral
{
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(stringLiteral value: String) { self = .string(value) }
}

/// The families that a catalog knows, and published ones that need what Quire lacks.
public struct ModelFamilies: Sendable {
    private let known: [ModelFamily]
    /// What the models of other families need, by model type, class or GGUF architecture.
    private let missing: [String: String]

    public init(_ known: [ModelFamily], missing: [String: String] = [:]) {
        self.known = known
        self.missing = missing
    }

    /// Accepts whatever `config` states.
    static func any(_ config: JSONDocument) throws(WeightLoadingError) -> ModelFamilies {
        let modelType = try config.string("model_type")
        return ModelFamilies(
            [modelType ?? statedClass(config)].compactMap { $0 }.map { ModelFamily(modelTypes: [$0], classes: [$0]) })
    }

    /// The family of a `config.json`, and the object that has its keys: the root, or `text_config` of a multimodal model.
    ///
    /// A known `model_type` decides, whatever `architectures` says. A class decides where `model_type` is absent, and where
    /// it is unknown and the class's family has none, as those of plugins.
    func family(of config: JSONDocument) throws(WeightLoadingError) -> (family: ModelFamily, text: JSONDocument) {
        if let family = try named(config) { return (family, config) }
        let text = try config.object("text_config")
        if let text, let family = try named(text) { return (family, text) }
        let inner: String? = if let text { try text.string("model_type") } else { nil }
        let outer = try config.string("model_type")
        let name = inner ?? outer ?? Self.statedClass(config)
        guard let name else {
            let expected = "a list of one architecture name"
            if let value = config.value("architectures") {
                throw config.error("architectures", expected: expected, found: value)
            }
            throw .missingKey(file: config.file, key: "architectures", expected: expected)
        }
        let stated = Self.statedClass(config)
        throw refusal(
            file: config.file, key: outer == nil && inner == nil ? "architecture" : "model_type", name,
            missing: missing[name] ?? stated.flatMap { missing[$0] }, among: known.flatMap(\.modelTypes))
    }

    /// The family of a GGUF file's `general.architecture`.
    func family(ofGGUF architecture: String, file: String) throws(WeightLoadingError) -> ModelFamily {
        if let family = known.first(where: { $0.gguf.contains(architecture) }) { return family }
        throw refusal(
            file: file, key: "general.architecture", architecture, missing: missing[architecture],
            among: known.flatMap(\.gguf))
    }

    private func named(_ config: JSONDocument) throws(WeightLoadingError) -> ModelFamily? {
        let modelType = try config.string("model_type")
        if let modelType, let family = known.first(where: { $0.modelTypes.contains(modelType) }) { return family }
        guard let stated = Self.statedClass(config) else { return nil }
        return known.first { $0.classes.contains(stated) && (modelType == nil || $0.modelTypes.isEmpty) }
    }

    private static func statedClass(_ config: JSONDocument) -> String? {
        switch config.value("architectures") {
        case .string(let name) where !name.isEmpty: return name
        case .array(let elements):
            if case .string(let name) = elements.first, !name.isEmpty { return name }
            return nil
        default: return nil
        }
    }

    private func refusal(
        file: String, key: String, _ name: String, missing: String?, among names: [String]
    ) -> WeightLoadingError {
        .unsupported(
            file: file, key: key, found: name + (missing.map { " (\($0))" } ?? ""),
            supported: names.sorted().joined(separator: ", "))
    }
}
