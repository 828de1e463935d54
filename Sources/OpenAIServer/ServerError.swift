import InferenceEngine
import JSON

/// Why the response to a request is an error.
enum ServerError: Error, Equatable, CustomStringConvertible {
    /// A field is missing, has the wrong type or a value that cannot be served.
    case invalidField(String?, String)
    /// Prompt and output exceed the model's maximum length. The sentence begins like OpenAI's, by which gateways
    /// recognize it.
    case contextTooLong(field: String, String)
    /// The HTTP message itself is broken (RFC 9112).
    case malformedMessage(String)
    /// The request comes from a web page that is not allowed, or to a host name that is not allowed.
    case forbidden(String)
    /// The body has an unsupported content type or encoding.
    case unsupportedMedia(String)
    /// An unsupported `Expect`.
    case expectationFailed(String)
    /// The client disconnected before the response. Only metrics count this error, with nginx's status.
    case clientClosedRequest
    /// An unsupported transfer coding.
    case notImplemented(String)
    /// An unsupported version of HTTP.
    case versionNotSupported(String)
    /// The key is missing or wrong.
    case unauthorized
    case unknownModel(String, served: String)
    /// The adapter was unloaded between two steps of the request's way.
    case adapterUnloaded
    /// A request to load or unload an adapter that cannot be fulfilled; the type is vLLM's.
    case badAdapter(String, type: String = "BadRequestError")
    /// There is no such adapter, or no adapter at the path.
    case adapterNotFound(String)
    case unknownPath(String)
    /// The path does not support this method.
    case methodNotAllowed(String, allowed: String)
    /// The body is too large.
    case bodyTooLarge(limit: Int)
    /// The queue is full.
    case overloaded(String)
    /// The server is shutting down, or its device failed.
    case unavailable(String)
    /// An internal error; the sentence contains nothing private.
    case internalFailure(String)

    /// A prompt of `tokenCount` tokens, given in `field` (`prompt` or `messages`), that leaves no room for output.
    static func promptTooLong(field: String, tokenCount: Int, limit: Int) -> ServerError {
        .contextTooLong(
            field: field,
            "This model's maximum context length is \(limit) tokens. However, your \(field) resulted in \(tokenCount) "
                + "tokens, and one token of output must fit as well. Please reduce the length of the \(field).")
    }

    /// The client's error for `error` of the engine.
    init(_ error: EngineError) {
        switch error {
        case .promptEmpty: self = .invalidField("prompt", error.description)
        case .promptTooLong(let count, let limit):
            self = .promptTooLong(field: "prompt", tokenCount: count, limit: limit)
        case .tokenOutOfVocabulary(let field, _, _): self = .invalidField(field, error.description)
        case .unknownAdapter: self = .adapterUnloaded
        case .tooManyChoices: self = .invalidField("n", error.description)
        case .queueFull, .rejected: self = .overloaded(error.description)
        case .shuttingDown, .deviceFailed: self = .unavailable(error.description)
        }
    }

    /// The client's error for a generation that ends with `error`.
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
        case .invalidField, .contextTooLong, .malformedMessage, .badAdapter: 400
        case .unauthorized: 401
        case .forbidden: 403
        case .unknownModel, .unknownPath, .adapterUnloaded, .adapterNotFound: 404
        case .methodNotAllowed: 405
        case .bodyTooLarge: 413
        case .unsupportedMedia: 415
        case .expectationFailed: 417
        case .overloaded: 429
        case .clientClosedRequest: 499
        case .internalFailure: 500
        case .notImplemented: 501
        case .unavailable: 503
        case .versionNotSupported: 505
        }
    }

    /// Seconds after which the client may retry.
    var retryAfter: Int? {
        switch self {
        case .overloaded: 1
        case .unavailable: 5
        default: nil
        }
    }

    private var type: String {
        switch self {
        case .invalidField, .contextTooLong, .malformedMessage, .unauthorized, .unknownModel, .unknownPath,
            .methodNotAllowed, .bodyTooLarge, .unsupportedMedia, .expectationFailed, .clientClosedRequest,
            .notImplemented, .versionNotSupported, .adapterUnloaded:
            "invalid_request_error"
        case .badAdapter(_, let type): type
        case .adapterNotFound: "NotFoundError"
        case .forbidden: "permission_error"
        case .overloaded: "rate_limit_error"
        case .unavailable: "service_unavailable_error"
        case .internalFailure: "server_error"
        }
    }

    private var code: String? {
        switch self {
        case .contextTooLong: "context_length_exceeded"
        case .unauthorized: "invalid_api_key"
        case .unknownModel, .adapterUnloaded: "model_not_found"
        case .badAdapter: "bad_adapter"
        case .adapterNotFound: "adapter_not_found"
        case .unknownPath: "unknown_url"
        case .methodNotAllowed: "method_not_allowed"
        case .bodyTooLarge: "request_too_large"
        case .overloaded: "rate_limit_exceeded"
        case .unavailable: "service_unavailable"
        case .internalFailure: "internal_error"
        case .malformedMessage: "malformed_message"
        case .forbidden: "forbidden"
        case .unsupportedMedia: "unsupported_media_type"
        case .expectationFailed: "expectation_failed"
        case .clientClosedRequest: "client_closed_request"
        case .notImplemented: "not_implemented"
        case .versionNotSupported: "http_version_not_supported"
        case .invalidField: nil
        }
    }

    private var parameter: String? {
        switch self {
        case .invalidField(let field, _): field
        case .contextTooLong(let field, _): field
        case .unknownModel, .adapterUnloaded: "model"
        default: nil
        }
    }

    var description: String {
        switch self {
        case .invalidField(let field?, let problem) where !problem.hasPrefix(field): "\(field): \(problem)"
        case .invalidField(_, let problem): problem
        case .contextTooLong(_, let problem): problem
        case .unauthorized: "a valid API key is needed: send it as 'Authorization: Bearer KEY'"
        case .unknownModel(let name, let served): "the model '\(name)' does not exist; this server has '\(served)'"
        case .adapterUnloaded: "the adapter was unloaded"
        case .badAdapter(let reason, _), .adapterNotFound(let reason): reason
        case .unknownPath(let path): "there is nothing at '\(path)'"
        case .methodNotAllowed(let method, let allowed): "\(method) is not allowed here, only \(allowed)"
        case .bodyTooLarge(let limit): "the body is larger than the \(limit) bytes this server takes"
        case .clientClosedRequest: "the client closed the connection before it was answered"
        case .malformedMessage(let reason), .forbidden(let reason), .unsupportedMedia(let reason),
            .expectationFailed(let reason), .notImplemented(let reason), .versionNotSupported(let reason),
            .overloaded(let reason), .unavailable(let reason), .internalFailure(let reason):
            reason
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

extension String {
    /// The text as one short line for logs and messages: control characters become `?`, long texts are truncated.
    var inOneLine: String {
        var line = String.UnicodeScalarView()
        for scalar in unicodeScalars.prefix(200) {
            // Line and paragraph separators, direction marks and controls could fake or hide lines of a log.
            let isPlain =
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
                default: true
                }
            line.append(isPlain ? scalar : "?")
        }
        return String(line) + (unicodeScalars.count > 200 ? "…" : "")
    }
}
