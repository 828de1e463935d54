/// Why a request was not taken.
public enum EngineError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The prompt has no tokens.
    case promptEmpty
    /// The prompt and one token of output are longer than the greatest length.
    case promptTooLong(tokenCount: Int, limit: Int)
    /// A token of this field of the request is not in the vocabulary.
    case tokenOutOfVocabulary(field: String, token: Int32, vocabularySize: Int)
    /// More choices than may wait.
    case tooManyChoices(Int, limit: Int)
    /// The greatest number of requests waits already.
    case queueFull(limit: Int)
    /// The adapter that it names was unloaded in the meantime.
    case unknownAdapter
    /// The scheduling policy refused it; the sentence says why.
    case rejected(String)
    /// The engine takes no more requests.
    case shuttingDown
    /// The device failed.
    case deviceFailed(String)

    /// Whether the request itself or its refusal by the policy is the reason, and not the engine or its device.
    public var isUserError: Bool {
        switch self {
        case .promptEmpty, .promptTooLong, .tokenOutOfVocabulary, .tooManyChoices, .rejected, .unknownAdapter: true
        case .queueFull, .shuttingDown, .deviceFailed: false
        }
    }

    /// One sentence for the client.
    public var description: String {
        switch self {
        case .promptEmpty: "the prompt has no tokens"
        case .promptTooLong(let count, let limit):
            "the prompt has \(count) tokens; this model takes at most \(limit) tokens of prompt and output together"
        case .tokenOutOfVocabulary(let field, let token, let size):
            "\(field): token \(token) is outside the vocabulary of \(size) tokens"
        case .tooManyChoices(let count, let limit): "\(count) choices asked for, at most \(limit) are possible"
        case .queueFull(let limit): "\(limit) requests are waiting already, try again later"
        case .unknownAdapter: "the adapter was unloaded"
        case .rejected(let reason): "the request was refused: \(reason)"
        case .shuttingDown: "the server is shutting down"
        case .deviceFailed(let reason): "the device failed: \(reason)"
        }
    }
}
