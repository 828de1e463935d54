/// How much is measured, the same for every configuration.
public struct ComparisonSettings: Sendable, Hashable, Codable {
    /// Maximum number of tokens of the text.
    public var textTokenCount = 4096
    /// Tokens of the windows that the text is split into; a window does not see the text before it.
    public var windowTokenCount = 512
    /// Maximum number of tokens of a greedy continuation.
    public var continuationTokenCount = 64
    /// Whether a prompt is put into the checkpoint's chat template, as a message of a user.
    public var usesChatTemplate = false
    /// Tokens of each prompt of the load, random ones.
    public var loadPromptTokenCount = 256
    /// Tokens that each request of the load produces.
    public var loadOutputTokenCount = 64
    /// Requests at once, one load each.
    public var concurrencies = [1, 4, 16]
    /// How often the load test is repeated, configurations in turns.
    public var roundCount = 1
    /// Bytes for the sum of weights, scratch and cache for which capacities are computed; nil: what the first
    /// configuration found free.
    public var budgetByteCount: Int?

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
