import Requests
import Scheduling
import Tokenization

/// One continuation in flight: turns its tokens into text and knows when a stop string ends it.
struct Choice {
    let index: Int
    let generation: GenerationID
    let sampling: SamplingParameters
    let arrival: EngineInstant
    private let includesStopString: Bool
    private var detokenizer: IncrementalDetokenizer
    private var stops: StopStringMatcher?
    private var outputCount = 0
    private(set) var lastTokenTime: EngineInstant?

    init(
        index: Int, generation: GenerationID, request: GenerationRequest, sampling: SamplingParameters,
        stops: StopStringMatcher?, arrival: EngineInstant, tokenizer: any Tokenizer
    ) {
        self.index = index
        self.generation = generation
        self.sampling = sampling
        self.arrival = arrival
        includesStopString = request.includesStopString
        detokenizer = IncrementalDetokenizer(tokenizer: tokenizer, skipSpecialTokens: request.skipsSpecialTokens)
        self.stops = stops
    }

    /// Takes a token in; returns what to send, and the stop string that it completed.
    mutating func append(
        _ token: Int32, logprobs: TokenLogprobs?, finish: FinishReason?, at now: EngineInstant
    ) -> (output: GenerationOutput, stopString: String?) {
        outputCount += 1
        lastTokenTime = now
        var text = ""
        var stopString: String?
        // The token that ends a text is part of the text only on request.
        if case .stopToken = finish, !includesStopString {} else { text = detokenizer.append(token) }
        if finish != nil { text += detokenizer.finish() }
        // Before `minTokens`, stop strings do not count, as end tokens do not.
        if outputCount > sampling.minTokens, stops != nil {
            (text, stopString) = stops?.append(text) ?? (text, nil)
            if finish != nil, stopString == nil { text += stops?.finish() ?? "" }
        }
        let output = GenerationOutput(
            choice: index, text: text, tokens: [token], logprobs: logprobs.map { [$0] } ?? [])
        return (output, stopString)
    }
}
