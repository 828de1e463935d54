/// The server's address and the limits of requests.
public struct ServerOptions: Sendable, Equatable {
    /// The address to bind.
    public var host = "127.0.0.1"
    /// The port to bind; 0: any free port.
    public var port = 8000
    /// Maximum size of a request's body.
    public var maxBodyByteCount = 16 << 20
    /// Maximum number of choices of one request: the number of its prompts times `n`.
    public var maxChoices = 128
    /// Maximum number of most likely tokens that a request may ask for at each position.
    public var maxLogprobs = 20
    /// The key that clients must send, except to public routes; nil: no key is needed.
    public var apiKey: APIKey?
    /// Origins of web pages that may call the server, such as `https://chat.example.com`; `*`: all origins.
    public var allowedOrigins: [String] = []
    /// Host names at which the server may be called, besides addresses and names of the local network; `*`: all names.
    public var allowedHosts: [String] = []
    /// Maximum time for which running requests continue after a shutdown begins.
    public var drainSeconds = 30.0
    /// The program's version, for `/version`.
    public var version: String

    /// The defaults: loopback, port 8000, no key.
    public init(version: String) { self.version = version }
}

/// The key that clients must send. Printed, interpolated or reflected, it is `(secret)`.
public struct APIKey: Sendable, Equatable {
    private let bytes: [UInt8]

    public init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// Whether `header` is `Bearer` and this key. The time does not depend on the number of correct bytes, so the key
    /// cannot be guessed byte by byte (CVE-2025-59425).
    func accepts(_ header: String?) -> Bool {
        guard let header, header.lowercased().hasPrefix("bearer ") else { return false }
        let candidate = Array(header.utf8.dropFirst("bearer ".utf8.count))
        guard !bytes.isEmpty, !candidate.isEmpty else { return false }
        var difference = UInt(bitPattern: bytes.count ^ candidate.count)
        for (index, byte) in candidate.enumerated() { difference |= UInt(byte ^ bytes[index % bytes.count]) }
        return difference == 0
    }
}

extension APIKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(secret)" }
    public var debugDescription: String { description }
    /// No children, so that a dump of what holds a key does not show it.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
