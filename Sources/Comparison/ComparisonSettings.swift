/// How much is measured, the same for every configuration.
public struct ComparisonSettings: Sendable, Hashable, Codable {
    /// Tokens of the text at most.
    public var textTokenCount = 4096
    /// The text is cut into windows of so many tokens, each without what comes before it.
    public var windowTokenCount = 512
    /// Tokens of a greedy continuation at most.
    public var continuationTokenCount = 64
    /// Whether a prompt becomes a user's message in the checkpoint's chat template.
    public var usesChatTemplate = false
    /// Tokens of each prompt of the load, random ones.
    public var loadPromptTokenCount = 256
    /// Tokens that each request of the load produces.
    public var loadOutputTokenCount = 64
    /// Requests at once, one load each.
    public var concurrencies = [1, 4, 16]
    /// How often each configuration takes its turn under load.
    public var roundCount = 1
    /// Bytes for the sum of weights, scratch and cache for which capacities are computed; nil: what the first
    /// configuration found free.
    public var budgetByteCount: Int?

    /// The defaults.
    public init() {}

    /// What the text's scores depend on.
    var textDescription: String { "\(textTokenCount) tokens in windows of \(windowTokenCount)" }
    /// What continuations depend on.
    var continuationDescription: String {
        "\(continuationTokenCount) tokens\(usesChatTemplate ? " in the chat template" : "")"
    }
    /// What a round of the load depends on.
    var loadDescription: String {
        "\(loadPromptTokenCount) in, \(loadOutputTokenCount) out, \(concurrencies) at once"
    }
}
