public import SharedValues

/// How a hub is reached.
public struct HubOptions: Sendable {
    /// Which hub.
    public var endpoint: HubEndpoint
    /// The user's access token; nil for public models.
    public var token: Secret?
    /// The header `User-Agent`.
    public var userAgent = "quire"
    /// PEM certificates of authorities to trust instead of the system's.
    public var certificateFile: String?
    /// How long a connection may stay without a byte before it counts as lost.
    public var stallSeconds = 30
    /// How often a request is sent that fails for reasons that may pass. Bytes that came start the count anew.
    public var attemptCount = 6
    /// The pause before the second attempt; it doubles with each further one.
    public var retrySeconds = 1.0

    public init(endpoint: HubEndpoint) { self.endpoint = endpoint }

    /// The token in `text`, the content of a file or of a variable; nil where there is only space. Throws `badName`, which
    /// names `source` and not the token, for what a header cannot carry.
    public static func token(_ text: String, from source: String) throws(HubError) -> Secret? {
        var token = Substring(text)
        while token.last?.isWhitespace == true { token.removeLast() }
        token = token.drop { $0.isWhitespace }
        guard !token.isEmpty else { return nil }
        guard token.utf8.count <= 4096, token.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) else {
            throw .badName(
                source, reason: "expected an access token, one word of printable ASCII, found something else")
        }
        return Secret(String(token))
    }

    /// The token in a file. Nil where the file has only space, or is not there and not required.
    public static func token(file: String, isRequired: Bool) throws(HubError) -> Secret? {
        guard let text = DiskFile.text(of: file, maximumByteCount: 1 << 16) else {
            guard isRequired || DiskFile.exists(file) else { return nil }
            throw .badName(file, reason: "expected a file with an access token, found none that can be read")
        }
        let token = try token(text, from: file)
        guard token != nil || !isRequired else {
            throw .badName(file, reason: "expected a file with an access token, found an empty one")
        }
        return token
    }
}
