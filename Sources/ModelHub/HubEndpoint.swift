/// The address of a hub, such as `https://huggingface.co`, perhaps with a path in front of the hub's own.
public struct HubEndpoint: Sendable, Equatable, CustomStringConvertible {
    /// Without a slash at its end.
    let url: String
    let origin: WebOrigin

    /// Where models are where nothing else is said.
    public static let huggingFace = "https://huggingface.co"

    /// Throws `badName` for what is no http or https address.
    public init(_ text: String) throws(HubError) {
        func bad(_ reason: String) -> HubError {
            .badName(text, reason: "expected the address of a hub such as \(Self.huggingFace), \(reason)")
        }
        guard text.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }), !text.contains("@"), !text.contains("?"),
            !text.contains("#")
        else { throw bad("found a space, a user name or a query") }
        var url = Substring(text)
        while url.hasSuffix("/") { url.removeLast() }
        guard let origin = WebOrigin(of: String(url)) else { throw bad("found something else") }
        self.url = String(url)
        self.origin = origin
    }

    public var description: String { url }
}

/// Scheme, host and port of an address: who gets a request.
struct WebOrigin: Sendable, Hashable {
    let scheme, host, port: String

    /// Nil for what has another scheme than http and https, or no host.
    ///
    /// Plain enough not to be read in two ways: user names, backslashes and control characters are refused.
    init?(of url: String) {
        guard url.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }), !url.contains("\\") else { return nil }
        guard let colon = url.firstRange(of: "://") else { return nil }
        let scheme = url[..<colon.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let authority = url[colon.upperBound...].prefix { !"/?#".contains($0) }
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[...end]
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty, (port ?? "1").utf8.allSatisfy({ (0x30...0x39).contains($0) }), port != "" else {
            return nil
        }
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port.map { String($0) } ?? (scheme == "https" ? "443" : "80")
    }

    /// Whether nobody between can read a request: it is encrypted, or does not leave this machine.
    var isPrivate: Bool { scheme == "https" || isLoopback }

    private var isLoopback: Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
