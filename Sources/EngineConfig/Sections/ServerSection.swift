public import SharedValues

/// The HTTP server.
public struct ServerSection: Sendable, Equatable {
    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The port to listen on; 0 for any free one.
    public var port = 8000
    /// How long running requests may go on after SIGTERM.
    public var drainSeconds = 30.0
    /// The largest request body, in bytes.
    public var maxBody = 8 << 20
    /// Maximum number of choices of one request: its prompts times `n`.
    public var maxChoices = 128
    /// The largest `logprobs` or `top_logprobs` of a request.
    public var maxLogprobs = 20
    /// The key that clients must send; nil lets everyone in.
    public var apiKey: Secret?
    /// Origins of web pages that may call the server.
    public var allowedOrigins: [String] = []
    /// Host names of the server that clients may use, beside addresses and names of the local network.
    public var allowedHosts: [String] = []

    init() {}
}

extension ServerSection: ConfigurationSection {
    static let name = "server"
    static let summary = "the HTTP server"
    static let keys: [ConfigurationKey<ServerSection>] = [
        ConfigurationKey("host", \.host, .text("a host name or address"), "The address to listen on; 0.0.0.0 for all"),
        ConfigurationKey("port", \.port, .integer(in: 0...65535), "The port to listen on; 0 takes any free one"),
        ConfigurationKey(
            "drain_seconds", \.drainSeconds, .seconds(in: 0...86_400),
            "How long running requests may go on after SIGTERM"),
        ConfigurationKey(
            "max_body", \.maxBody, .byteCount(in: 1024...(1 << 30)), "The largest request body; beyond it, status 413"),
        ConfigurationKey(
            "max_choices", \.maxChoices, .integer(in: 1...65_536),
            "Maximum number of choices of one request: its prompts times n"),
        ConfigurationKey(
            "max_logprobs", \.maxLogprobs, .integer(in: 0...1024), "The largest logprobs or top_logprobs of a request"),
        ConfigurationKey(
            "api_key", optional: \.apiKey, .token, unset: "no key is needed", example: "change-me", isSecret: true,
            "The key that clients must send as Authorization: Bearer"),
        ConfigurationKey(
            "allowed_origins", \.allowedOrigins, .origins,
            "Origins of web pages that may call the server from a browser; \"*\" allows all"),
        ConfigurationKey(
            "allowed_hosts", \.allowedHosts, .hostNames,
            "Host names of the server that clients may use, beside addresses and names of the local network; \"*\" allows all"
        ),
    ]
}
