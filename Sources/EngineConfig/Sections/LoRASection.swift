/// LoRA adapters that are served beside the model.
public struct LoRASection: Sendable, Equatable {
    /// The directory or file of each adapter, by the name that clients ask for.
    public var adapters: [String: String] = [:]
    /// Adapters that can be on the device at once.
    public var maxLoras = 1
    /// The highest rank of an adapter.
    public var maxLoraRank = 16
    /// The adapter that commands without a server use.
    public var use: String?
    /// Whether clients may load and unload adapters.
    public var allowRuntimeLoading = false

    init() {}

    /// Whether memory for adapters is reserved.
    public var isEnabled: Bool { !adapters.isEmpty || allowRuntimeLoading }
}

extension LoRASection: ConfigurationSection {
    static let name = "lora"
    static let summary = "LoRA adapters beside the model"
    static let keys: [ConfigurationKey<LoRASection>] = [
        ConfigurationKey(
            "adapters", \.adapters, .namedPaths,
            "Names that clients ask for, and the adapters that they get: directories in PEFT's format or .gguf files"),
        ConfigurationKey(
            "max_loras", \.maxLoras, .integer(in: 1...256),
            "Adapters that can be on the device at once; with more, those used least recently make room"),
        ConfigurationKey(
            "max_lora_rank", \.maxLoraRank, .integer(in: 1...1024),
            "The highest rank of an adapter; memory for max_loras adapters of it is taken at start-up"),
        ConfigurationKey(
            "use", optional: \.use, .text("the name of an adapter"), unset: "the model without an adapter",
            example: "german", "The adapter that quire generate, bench and compare use"),
        ConfigurationKey(
            "allow_runtime_loading", \.allowRuntimeLoading, .boolean,
            "Whether clients may load and unload adapters (/v1/load_lora_adapter); they can then name any path of this "
                + "machine"),
    ]
}
