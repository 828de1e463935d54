import ArgumentParser
import Comparison
import EngineConfig

/// How much `quire compare` measures, and with what.
struct CompareAmounts: ParsableArguments {
    @Option(help: "The text; by default one of about 3,300 words that comes with Quire.", completion: .file())
    var text: String?
    @Option(help: "The prompts; by default 24 that come with Quire.", completion: .file())
    var prompts: String?
    @Option(help: "Maximum number of tokens of the text.")
    var textTokens = 4096
    @Option(help: "Tokens of the windows that the text is split into.")
    var window = 512
    @Option(help: "Maximum number of tokens of a greedy continuation.")
    var continuation = 64
    @Flag(help: "Put prompts into the checkpoint's chat template, as messages of a user.")
    var chat = false
    @Option(help: "Concurrent requests; a load test for each of several numbers.", transform: CommaSeparated.integers)
    var concurrency = [1, 4, 16]
    @Option(help: "Tokens of each prompt of the load test.")
    var promptTokens = 256
    @Option(help: "Output tokens of each request of the load test.")
    var outputTokens = 64
    @Option(help: "How often the load test is repeated, configurations in turns.")
    var rounds = 1
    @Option(
        help: "Memory to compute capacities for, such as 1GiB; by default what the first configuration may use.",
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
