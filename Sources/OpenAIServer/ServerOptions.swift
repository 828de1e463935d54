/// How the server listens and what it lets clients ask for.
public struct ServerOptions: Sendable, Equatable {
    /// Address to bind.
    public var host = "127.0.0.1"
    /// Port to bind; 0: any free one.
    public var port = 8000
    /// Largest body of a request.
    public var maxBodyByteCount = 16 << 20
    /// Choices of one request at most: its prompts times `n`.
    public var maxChoices = 128
    /// Most likely tokens that a request may ask for at each place.
    public var maxLogprobs = 20
    /// The key that clients must send for everything that touches the model; nil: none.
    public var apiKey: APIKey?
    /// Origins of web pages that may call the server, such as `https://chat.example.com`; `*`: all of them.
    public var allowedOrigins: [String] = []
    /// Host names under which the server may be called, beside addresses and names of the local network; `*`: all.
    public var allowedHosts: [String] = []
    /// How long running requests may go on after a shutdown begins.
    public var drainSeconds = 30.0
    /// Version of the program, for `/version`.
    public var version = "0.1.0"

    /// Defaults: loopback, port 8000, no key.
    public init() {}
}
