public import Requests

/// A client's request: a prompt in tokens, and how to continue it.
public struct GenerationRequest: Sendable {
    public var prompt: [Int32]
    /// Of several choices, choice `i` uses `seed + i`.
    public var attributes: RequestAttributes
    /// How many independent continuations.
    public var choiceCount = 1
    /// Texts that end a continuation.
    public var stopStrings: [String] = []
    /// Whether the stop string that ended a continuation stays in its text.
    public var includesStopString = false
    /// Whether special tokens are left out of the text.
    public var skipsSpecialTokens = true

    /// One continuation of `prompt`.
    public init(prompt: [Int32], attributes: RequestAttributes = RequestAttributes()) {
        self.prompt = prompt
        self.attributes = attributes
    }

    /// The attributes' sampling parameters.
    public var sampling: SamplingParameters {
        get { attributes.sampling }
        set { attributes.sampling = newValue }
    }
}

/// An event of a request, in order; each choice ends with one `finished`.
public enum GenerationEvent: Sendable {
    /// Scores of prompt tokens `1 ..< prompt.count` (the first has none), once, before any output, where asked for.
    case promptScored([TokenLogprobs])
    /// More of a choice. `text` may be empty while a character or a possible stop string is incomplete.
    case output(GenerationOutput)
    /// A choice has ended.
    case finished(choice: Int, reason: FinishReason)
}

/// What one step adds to a choice.
public struct GenerationOutput: Sendable {
    /// The choice's index, from 0.
    public var choice: Int
    /// Text to append.
    public var text: String
    /// Tokens produced, the one that ends the text included.
    public var tokens: [Int32]
    /// One entry for each of `tokens`, where asked for.
    public var logprobs: [TokenLogprobs]

    public init(choice: Int, text: String, tokens: [Int32], logprobs: [TokenLogprobs]) {
        self.choice = choice
        self.text = text
        self.tokens = tokens
        self.logprobs = logprobs
    }
}
