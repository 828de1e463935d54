import Requests
import Tokenization

/// Names a submission, which has one request for each of its choices.
public struct SubmissionID: Hashable, Sendable {
    let rawValue: UInt64
}

/// A `GenerationRequest` in flight.
struct Submission {
    let onEvent: @Sendable (GenerationEvent) -> Void
    /// The requests of its choices that have not ended.
    var requests: [RequestID] = []
    /// Scores of the prompt so far.
    var promptLogprobs: [TokenLogprobs] = []
    /// How many scores of the prompt there will be.
    let scoredCount: Int
}

/// One choice of a submission: turns its tokens into text and finds the stop string that ends it.
struct Choice {
    let index: Int
    let submission: SubmissionID
    let sampling: SamplingParameters
    let arrival: EngineInstant
    private let includesStopString: Bool
    private var detokenizer: IncrementalDetokenizer
    private var stops: StopStringMatcher?
    /// When the latest token came; nil before the first.
    private(set) var lastTokenTime: EngineInstant?

    init(
        index: Int, submission: SubmissionID, request: GenerationRequest, sampling: SamplingParameters,
        stops: StopStringMatcher?, arrival: EngineInstant, tokenizer: any Tokenizer
    ) {
        self.index = index
        self.submission = submission
        self.sampling = sampling
        self.arrival = arrival
        includesStopString = request.includesStopString
        detokenizer = IncrementalDetokenizer(tokenizer: tokenizer, skipSpecialTokens: request.skipsSpecialTokens)
        self.stops = stops
    }

    /// Takes in a token, the `outputCount`th of the choice. Returns the text to send, and the stop string that the token
    /// completed.
    mutating func append(
        _ token: Int32, outputCount: Int, finish: FinishReason?, at now: EngineInstant
    ) -> (text: String, stopString: String?) {
        lastTokenTime = now
        var text = ""
        // The token that ends a text is part of the text only on request.
        if case .stopToken = finish, !includesStopString {} else { text = detokenizer.append(token) }
        if finish != nil { text += detokenizer.finish() }
        var stopString: String?
        if stops != nil, sampling.allowsEnd(atOutputCount: outputCount) {
            (text, stopString) = stops?.append(text) ?? (text, nil)
            if finish != nil, stopString == nil { text += stops?.finish() ?? "" }
        }
        return (text, stopString)
    }
}
