import JSON
import Hummingbird

extension Response {
    /// A JSON response.
    init(json: JSONValue, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.encoded)))
    }

    /// OpenAI's error object with the status and headers that go with it.
    init(error: ServerError) {
        self.init(json: error.body, status: HTTPResponse.Status(code: error.status))
        if let seconds = error.retryAfter { headers[.retryAfter] = "\(seconds)" }
        switch error {
        case .unauthorized: headers[.wwwAuthenticate] = "Bearer"
        case .methodNotAllowed(_, let allowed): headers[.allow] = allowed
        case .unsupportedMedia: headers[.acceptEncoding] = "identity"
        default: break
        }
    }
}

extension Response {
    /// The permission for a page of an allowed origin to send a request (WHATWG Fetch, "CORS-preflight request").
    init(preflight request: Request) {
        self.init(status: .noContent)
        headers[.accessControlAllowMethods] = "GET, HEAD, POST"
        // SDKs send additional header fields.
        headers[.accessControlAllowHeaders] = request.headers[.accessControlRequestHeaders]
        headers[.accessControlMaxAge] = "600"
    }

    /// Permits pages of `origin` to read this response.
    mutating func allowReading(by origin: String) {
        headers[.accessControlAllowOrigin] = origin
        headers[.vary] = "Origin"
    }
}

extension HTTPFields.Element.Name {
    /// Tells nginx not to buffer a stream.
    static var xAccelBuffering: Self { Self("X-Accel-Buffering") ?? .cacheControl }
}
