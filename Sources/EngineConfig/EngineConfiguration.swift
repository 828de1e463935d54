import CLibrary
public import ModelHub

/// The whole configuration: what one YAML file, with its overrides, says.
///
/// Two configurations are equal when their values are, wherever those came from.
public struct EngineConfiguration: Sendable, Equatable {
    /// Which model to serve.
    public var model = ModelSection()
    /// What computes.
    public var backend = BackendSection()
    /// LoRA adapters beside the model.
    public var lora = LoRASection()
    /// The paged key-value cache.
    public var cache = CacheSection()
    /// Libraries with scheduling policies.
    public var plugins = PluginsSection()
    /// Which requests run, and how much at once.
    public var scheduler = SchedulerSection()
    /// Parameters of the policy.
    public var policyOptions = PolicyOptionsSection()
    /// What a step costs in a simulation.
    public var simulation = SimulationSection()
    /// The HTTP server.
    public var server = ServerSection()
    /// What is logged, and how.
    public var logging = LoggingSection()

    /// The file that this configuration was read from, or the model that was given instead, as the caller named it.
    public internal(set) var file = ""
    /// Keys and values that were given under names that they had before: still read, to be warned of.
    public internal(set) var warnings: [ConfigurationIssue] = []
    /// Where each given key was given.
    var origins: [String: ValueOrigin] = [:]

    init() {}

    /// Every section, in the order of the documentation: the one list behind reading, showing and documenting.
    static let sections: [SectionSchema] = [
        SectionSchema(\.model), SectionSchema(\.lora), SectionSchema(\.backend), SectionSchema(\.cache),
        SectionSchema(\.plugins), SectionSchema(\.scheduler), SectionSchema(\.policyOptions),
        SectionSchema(\.simulation),
        SectionSchema(\.server), SectionSchema(\.logging),
    ]

    /// Where a key's value came from.
    public func origin(of keyPath: String) -> ValueOrigin {
        origins[keyPath] ?? .default
    }

    /// Whether all values are equal; origins and warnings do not count.
    public static func == (left: EngineConfiguration, right: EngineConfiguration) -> Bool {
        left.model == right.model && left.lora == right.lora && left.backend == right.backend
            && left.cache == right.cache
            && left.plugins == right.plugins && left.scheduler == right.scheduler
            && left.policyOptions == right.policyOptions
            && left.simulation == right.simulation && left.server == right.server && left.logging == right.logging
    }
}

extension EngineConfiguration {
    /// Reads a file and applies overrides such as `cache.block_size=32`, the last of a key winning.
    ///
    /// Relative paths in the file start at the file's folder, those in overrides at the current directory.
    ///
    /// - Parameter path: a YAML file; or a model, that is a .gguf file, the directory of a checkpoint or the name of a model
    ///   in `modelCache`, which stands for the configuration `model: {path: …}`.
    /// - Parameter homeDirectory: what `~` in paths stands for; without it a `~` is an error.
    /// - Parameter modelCache: where models are that are named `ORG/NAME`, here or in `model.path`.
    /// - Throws: everything that is wrong, in one error.
    public static func load(
        path: String, overrides: [String] = [], homeDirectory: String? = nil, modelCache: HubCache? = nil
    ) throws(ConfigurationError) -> EngineConfiguration {
        let named = try ConfigurationFile.model(named: path, in: modelCache)
        let content: ConfigurationFile = if let named { .model(path: named) } else { try .read(path: path) }
        switch content {
        case .yaml(let bytes):
            return try parse(
                bytes: bytes, file: path, overrides: overrides, homeDirectory: homeDirectory, modelCache: modelCache)
        case .model(let model):
            var decoder = ConfigurationDecoder(file: path, homeDirectory: homeDirectory, modelCache: modelCache)
            decoder.apply(model: model)
            for override in overrides { decoder.apply(override: override) }
            return try decoder.finish()
        }
    }

    /// Reads a text as `load` reads a file; `file` is its name in messages, and relative paths start at its folder.
    public static func parse(
        _ text: String, file: String, overrides: [String] = [], homeDirectory: String? = nil,
        modelCache: HubCache? = nil
    ) throws(ConfigurationError) -> EngineConfiguration {
        try parse(
            bytes: Array(text.utf8), file: file, overrides: overrides, homeDirectory: homeDirectory,
            modelCache: modelCache)
    }

    /// The same for bytes, which need not be UTF-8, or YAML.
    static func parse(
        bytes: [UInt8], file: String, overrides: [String], homeDirectory: String?, modelCache: HubCache? = nil
    ) throws(ConfigurationError) -> EngineConfiguration {
        guard bytes.count <= YAMLLimits.byteCount else { throw ConfigurationFile.tooLarge(file, bytes.count) }
        var decoder = ConfigurationDecoder(file: file, homeDirectory: homeDirectory, modelCache: modelCache)
        decoder.apply(file: bytes)
        for override in overrides { decoder.apply(override: override) }
        return try decoder.finish()
    }
}

extension EngineConfiguration {
    /// The name of a model on a hub that `model.path` may mean; nil where something is at that path, or it is no such name.
    public var missingModel: ModelReference? {
        guard access(model.path, F_OK) != 0 else { return nil }
        var text = Substring(model.path)
        // A relative path in a file was put behind the file's folder.
        if case .file = origin(of: "model.path"), let end = file.lastIndex(of: "/"), text.hasPrefix(file[...end]) {
            text = text.dropFirst(file[...end].count)
        }
        return try? ModelReference(String(text))
    }

    /// The error of a value that only a later stage could judge, such as a name that no registry knows.
    ///
    /// It points to where the key was given, and asks "did you mean …?" when a candidate is near `found`.
    public func error(
        at keyPath: String, expected: String, found: String, candidates: [String] = []
    ) -> ConfigurationError {
        let clause = Suggestion.clause(Suggestion.nearest(to: found, among: candidates))
        return error(at: keyPath, message: "expected \(expected), found \(Excerpt.bare(found))\(clause)")
    }

    /// The error of a key with a sentence of the caller's.
    public func error(at keyPath: String, message: String) -> ConfigurationError {
        let issue =
            switch origin(of: keyPath) {
            case .file(let line, let column):
                ConfigurationIssue(file: file, line: line, column: column, keyPath: keyPath, message: message)
            case .override: ConfigurationIssue(keyPath: keyPath, message: message)
            case .argument, .default: ConfigurationIssue(file: file, keyPath: keyPath, message: message)
            }
        return ConfigurationError([issue])
    }
}
