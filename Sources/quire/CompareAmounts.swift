import ArgumentParser
import Comparison
import EngineConfig

/// How much `quire compare` measures, and with what.
struct CompareAmounts: ParsableArguments {
    @Option(help: "The text; one of about 3,300 words comes with Quire.", completion: .file())
    var text: String?
    @Option(help: "The prompts; 24 come with Quire.", completion: .file())
    var prompts: String?
    @Option(help: "Tokens of the text at most.")
    var textTokens = 4096
    @Option(help: "The text is cut into windows of so many tokens.")
    var window = 512
    @Option(help: "Tokens of a greedy continuation at most.")
    var continuation = 64
    @Flag(help: "Prompts are a user's messages in the checkpoint's chat template.")
    var chat = false
    @Option(help: "Requests at once, one load each.", transform: CommaSeparated.integers)
    var concurrency = [1, 4, 16]
    @Option(help: "Tokens of each prompt of the load.")
    var promptTokens = 256
    @Option(help: "Tokens that each request of the load produces.")
    var outputTokens = 64
    @Option(help: "How often each configuration takes its turn under load.")
    var rounds = 1
    @Option(
        help: "Memory to compute capacities for, such as 1GiB; what the first configuration may use without it.",
        transform: Self.bytes)
    var budget: Int?

    func validate() throws {
        let least = [
            ("--text-tokens", textTokens, 2), ("--window", window, 2), ("--continuation", continuation, 1),
            ("--prompt-tokens", promptTokens, 1), ("--output-tokens", outputTokens, 2), ("--rounds", rounds, 1),
        ]
        for (name, value, least) in least where value < least || value > 1 << 24 {
            throw ValidationError("\(name): expected \(least) or more, found \(value)")
        }
        guard !concurrency.isEmpty, concurrency.allSatisfy({ (1...1024).contains($0) }) else {
            throw ValidationError("--concurrency: expected numbers from 1 to 1024")
        }
    }

    var settings: ComparisonSettings {
        var settings = ComparisonSettings()
        settings.textTokenCount = textTokens
        settings.windowTokenCount = window
        settings.continuationTokenCount = continuation
        settings.usesChatTemplate = chat
        settings.concurrencies = concurrency
        settings.loadPromptTokenCount = promptTokens
        settings.loadOutputTokenCount = outputTokens
        settings.roundCount = rounds
        settings.budgetByteCount = budget
        return settings
    }

    private static func bytes(_ text: String) throws -> Int {
        guard let count = ByteCount.parse(text), (1...1 << 50).contains(count) else {
            throw ValidationError("expected bytes such as 512MiB or 2GiB, found \(text)")
        }
        return count
    }
}
