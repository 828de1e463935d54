import NIOCore

/// Prevents web pages from calling the server through a user's browser.
///
/// A page of another origin can send requests to `127.0.0.1`. A page whose host name resolves to that address (DNS
/// rebinding) can also read the responses. Browsers send the origin and the host name in `Origin` and `Host`, which a
/// page cannot change. Other programs send no `Origin`; the check of origins does not affect them.
struct BrowserAccess: Sendable {
    private let allowedOrigins: Set<String>
    private let allowedHosts: Set<String>

    /// The rules of `options`. The name at which the server listens is allowed.
    init(_ options: ServerOptions) {
        allowedOrigins = Set(options.allowedOrigins.map(Self.normalized))
        allowedHosts = Set((options.allowedHosts + [options.host]).map { $0.lowercased() })
    }

    /// Checks the host name of a request. Throws `forbidden`.
    ///
    /// Addresses are allowed, and so are names that are not in the public DNS, because no stranger can make them
    /// resolve to this server: names without a dot, and those under `localhost`, `local` and `internal`.
    func check(host: String) throws(ServerError) {
        guard !allowedHosts.contains("*"), !allowedHosts.contains(host) else { return }
        let isLocal = !host.contains(".") || [".localhost", ".local", ".internal"].contains { host.hasSuffix($0) }
        guard !isLocal, (try? SocketAddress(ipAddress: host, port: 0)) == nil else { return }
        throw .forbidden(
            "this server is not called '\(host.inOneLine)'; server.allowed_hosts in its configuration can allow the name"
        )
    }

    /// Checks the origin of the page that sent a request to `authority`. Throws `forbidden`.
    func check(origin: String, authority: Authority?) throws(ServerError) {
        if allows(origin: origin) { return }
        if let authority, Self.isSame(Self.normalized(origin), authority) { return }
        throw .forbidden(
            "pages of the origin '\(origin.inOneLine)' may not call this server; server.allowed_origins in its "
                + "configuration can allow the origin")
    }

    /// Whether the configuration allows pages of `origin`.
    func allows(origin: String) -> Bool {
        allowedOrigins.contains("*") || allowedOrigins.contains(Self.normalized(origin))
    }

    /// Whether `page` has the origin `authority`. The schemes may differ, because a proxy may have terminated TLS.
    private static func isSame(_ page: String, _ authority: Authority) -> Bool {
        guard let separator = page.firstRange(of: "://"), let own = Authority(page[separator.upperBound...]) else {
            return false
        }
        let usualPort = page.hasPrefix("https:") ? 443 : 80
        return own.host == authority.host && (own.port ?? usualPort) == (authority.port ?? usualPort)
    }

    private static func normalized(_ origin: String) -> String {
        let origin = origin.lowercased()
        return origin.hasSuffix("/") ? String(origin.dropLast()) : origin
    }
}

/// A host and an optional port, as in `Host` fields and origins (RFC 3986, section 3.2): `localhost:8000`,
/// `[::1]:8000`.
struct Authority: Equatable, Sendable {
    /// The host in lower case, an IPv6 address without its brackets. It may be empty.
    let host: String
    /// The port; nil: not stated.
    let port: Int?

    /// Parses `text`; nil: it is not an authority.
    init?(_ text: some StringProtocol) {
        let text = text.lowercased()
        let hostEnd: String.Index
        if text.hasPrefix("[") {
            guard let bracket = text.firstIndex(of: "]") else { return nil }
            host = String(text[text.index(after: text.startIndex)..<bracket])
            hostEnd = text.index(after: bracket)
            guard !host.isEmpty, host.utf8.allSatisfy({ Self.isName($0) || $0 == UInt8(ascii: ":") }) else {
                return nil
            }
        } else {
            hostEnd = text.firstIndex(of: ":") ?? text.endIndex
            host = String(text[..<hostEnd])
            guard host.utf8.allSatisfy(Self.isName) else { return nil }
        }
        let rest = text[hostEnd...]
        guard rest.isEmpty || rest.first == ":" else { return nil }
        let digits = rest.dropFirst()
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        port = UInt16(digits).map(Int.init)
        // Without digits after the colon, the port is the default one (RFC 3986, section 3.2.3).
        guard port != nil || digits.isEmpty else { return nil }
    }

    /// The characters of a registered name: unreserved characters, sub-delimiters and percent signs.
    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-._~%!$&'()*+,;=".utf8.contains(byte)
        }
    }
}
