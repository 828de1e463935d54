public import Requests

/// What a client asks for: a prompt in tokens, and how to go on from it.
public struct GenerationRequest: Sendable {
    /// The prompt.
    public var prompt: [Int32]
    /// How tokens are chosen. Choice `i` of several uses `seed + i`.
    public var sampling: SamplingParameters
    /// How many independent continuations.
    public var choiceCount = 1
    /// Texts that end a continuation.
    public var stopStrings: [String] = []
    /// Whether the stop string that ended a continuation stays in its text.
    public var includesStopString = false
    /// Whether special tokens are left out of the text.
    public var skipsSpecialTokens = true
    /// Lower runs first under policies that look at it.
    public var priority = 0
    /// Whom it is for, under policies that share between tenants; empty for nobody in particular.
    public var tenant = ""
    /// Seconds within which it should be served, under policies that look at it.
    public var deadlineSeconds: Double?
    /// Separates prefix caches of tenants.
    public var cacheSalt: String?

    /// One continuation of `prompt`.
    public init(prompt: [Int32], sampling: SamplingParameters = SamplingParameters()) {
        self.prompt = prompt
        self.sampling = sampling
    }
}

/// What happens to a request, in order; each choice ends with one `finished`.
public enum GenerationEvent: Sendable {
    /// Scores of prompt tokens `1 ..< prompt.count` (the first has none), once, before any output, where asked for.
    case promptScored([TokenLogprobs])
    /// More of a choice. `text` may be empty while a character or a possible stop string is incomplete.
    case output(GenerationOutput)
    /// A choice has ended.
    case finished(choice: Int, reason: FinishReason)
}

/// One step's addition to a choice.
public struct GenerationOutput: Sendable {
    /// Which choice, from 0.
    public var choice: Int
    /// Text to append.
    public var text: String
    /// Tokens produced, the one that ends the text included.
    public var tokens: [Int32]
    /// One entry for each of `tokens`, where asked for.
    public var logprobs: [TokenLogprobs]

    /// The four as given.
    public init(choice: Int, text: String, tokens: [Int32], logprobs: [TokenLogprobs]) {
        self.choice = choice
        self.text = text
        self.tokens = tokens
        self.logprobs = logprobs
    }
}
