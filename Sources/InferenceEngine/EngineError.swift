/// Why a request was not taken.
public enum EngineError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no token to go on from.
    case promptEmpty
    /// Prompt and the least output do not fit into the longest sequence.
    case promptTooLong(tokenCount: Int, limit: Int)
    /// A token of the named field does not exist.
    case tokenOutOfVocabulary(field: String, token: Int32, vocabularySize: Int)
    /// More choices than may wait.
    case tooManyChoices(Int, limit: Int)
    /// So many requests wait already.
    case queueFull(limit: Int)
    /// The scheduling policy refused it; the sentence says why.
    case rejected(String)
    /// The engine takes no more requests.
    case shuttingDown
    /// The device failed.
    case deviceFailed(String)

    /// Whether the request is to blame, or what its sender wants of the policy, and not the engine or its device.
    public var isUserError: Bool {
        switch self {
        case .promptEmpty, .promptTooLong, .tokenOutOfVocabulary, .tooManyChoices, .rejected: true
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
        case .rejected(let reason): "the request was refused: \(reason)"
        case .shuttingDown: "the server is shutting down"
        case .deviceFailed(let reason): "the device failed: \(reason)"
        }
    }
}
