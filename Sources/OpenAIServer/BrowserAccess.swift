import NIOCore

/// Keeps web pages from driving the server through the browser of somebody who can reach it.
///
/// A page of another origin can send requests to `127.0.0.1`, and a page whose host name is made to point there (DNS
/// rebinding) can read the answers, too. Browsers tell both, in the fields `Origin` and `Host`, which a page cannot
/// change. Programs that are no browsers send no `Origin` and are not concerned.
struct BrowserAccess: Sendable {
    private let allowedOrigins: Set<String>
    private let allowedHosts: Set<String>

    /// The rules of `options`; the name that the server listens at is one of its own.
    init(_ options: ServerOptions) {
        allowedOrigins = Set(options.allowedOrigins.map(Self.normalized))
        allowedHosts = Set((options.allowedHosts + [options.host]).map { $0.lowercased() })
    }

    /// Checks the host that the client called. Throws `forbidden`.
    ///
    /// Addresses are allowed, and so are names that the public DNS does not serve, because no stranger can make such a
    /// name point elsewhere: names without a dot, and those under `localhost`, `local` and `internal`.
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

    /// Whether `page` lies on `authority` itself. The schemes may differ, as a proxy may have ended TLS.
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
