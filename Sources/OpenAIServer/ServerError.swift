import JSON
import InferenceEngine

/// Why a request is answered with an error.
enum ServerError: Error, Equatable, CustomStringConvertible {
    /// A field is missing, has the wrong type or a value that cannot be served.
    case invalidField(String?, String)
    /// Prompt and output do not fit into the model's longest sequence.
    case contextTooLong(field: String, String)
    /// The key is missing or wrong.
    case unauthorized
    /// No such model.
    case unknownModel(String, served: String)
    /// No such path.
    case unknownPath(String)
    /// The path exists, but not for this method.
    case methodNotAllowed(String, allowed: String)
    /// The body is larger than the server takes.
    case bodyTooLarge(limit: Int)
    /// The queue is full.
    case overloaded(String)
    /// The server is going down, or its device failed.
    case unavailable(String)
    /// A mistake of the server's own; the sentence names nothing private.
    case internalFailure(String)

    /// The error that a client sees for `error` of the engine.
    init(_ error: EngineError) {
        switch error {
        case .promptEmpty: self = .invalidField("prompt", error.description)
        case .promptTooLong: self = .contextTooLong(field: "prompt", error.description)
        case .tokenOutOfVocabulary(let field, _, _): self = .invalidField(field, error.description)
        case .tooManyChoices: self = .invalidField("n", error.description)
        case .queueFull, .rejected: self = .overloaded(error.description)
        case .shuttingDown, .deviceFailed: self = .unavailable(error.description)
        }
    }

    /// The error that a client sees when generating ends with `error`.
    init(generation error: any Error) {
        switch error {
        case let error as ServerError: self = error
        case let error as EngineError: self = ServerError(error)
        case is CancellationError: self = .unavailable("the request was aborted")
        default: self = .internalFailure("the engine failed")
        }
    }

    /// HTTP status code (RFC 9110).
    var status: Int {
        switch self {
        case .invalidField, .contextTooLong: 400
        case .unauthorized: 401
        case .unknownModel, .unknownPath: 404
        case .methodNotAllowed: 405
        case .bodyTooLarge: 413
        case .overloaded: 429
        case .internalFailure: 500
        case .unavailable: 503
        }
    }

    /// Seconds after which trying again may help.
    var retryAfter: Int? {
        switch self {
        case .overloaded: 1
        case .unavailable: 5
        default: nil
        }
    }

    private var type: String {
        switch self {
        case .invalidField, .contextTooLong, .unauthorized, .unknownModel, .unknownPath, .methodNotAllowed,
            .bodyTooLarge:
            "invalid_request_error"
        case .overloaded: "rate_limit_error"
        case .unavailable: "service_unavailable_error"
        case .internalFailure: "server_error"
        }
    }

    private var code: String? {
        switch self {
        case .contextTooLong: "context_length_exceeded"
        case .unauthorized: "invalid_api_key"
        case .unknownModel: "model_not_found"
        case .unknownPath: "unknown_url"
        case .methodNotAllowed: "method_not_allowed"
        case .bodyTooLarge: "request_too_large"
        case .overloaded: "rate_limit_exceeded"
        case .unavailable: "service_unavailable"
        case .internalFailure: "internal_error"
        case .invalidField: nil
        }
    }

    private var parameter: String? {
        switch self {
        case .invalidField(let field, _): field
        case .contextTooLong(let field, _): field
        case .unknownModel: "model"
        default: nil
        }
    }

    /// One sentence.
    var description: String {
        switch self {
        case .invalidField(let field?, let problem) where !problem.hasPrefix(field): "\(field): \(problem)"
        case .invalidField(_, let problem): problem
        case .contextTooLong(let field, let problem): "\(field): \(problem)"
        case .unauthorized: "a valid API key is needed: send it as 'Authorization: Bearer KEY'"
        case .unknownModel(let name, let served): "the model '\(name)' does not exist; this server has '\(served)'"
        case .unknownPath(let path): "there is nothing at '\(path)'"
        case .methodNotAllowed(let method, let allowed): "\(method) is not allowed here, only \(allowed)"
        case .bodyTooLarge(let limit): "the body is larger than the \(limit) bytes this server takes"
        case .overloaded(let reason), .unavailable(let reason), .internalFailure(let reason): reason
        }
    }

    /// OpenAI's error object.
    var body: JSONValue {
        [
            "error": [
                "message": .string(description), "type": .string(type), "param": JSONValue(parameter),
                "code": JSONValue(code),
            ]
        ]
    }
}
