import Hummingbird
import NIOHTTP1

/// Checks of a request's head before the request is routed (RFC 9110 and 9112).
enum MessageRules {
    /// Checks version, host, framing and expectations. Returns the requested host; nil: an HTTP/1.0 request without
    /// one.
    static func check(
        _ fields: HTTPFields, _ head: HTTPConnection.RequestHead
    ) throws(ServerError) -> Authority? {
        guard head.version.major == 1 else {
            throw .versionNotSupported(
                "HTTP/\(head.version.major).\(head.version.minor) is not spoken here, only HTTP/1")
        }
        try checkFraming(fields, head)
        if let expectation = fields[.expect], !head.isHTTP10, expectation.lowercased() != "100-continue" {
            throw .expectationFailed("Expect: only 100-continue can be expected, found '\(expectation.inOneLine)'")
        }
        guard head.hosts.count <= 1, head.isHTTP10 || head.hosts.count == 1 else {
            throw .malformedMessage("a request must have exactly one Host field, found \(head.hosts.count)")
        }
        guard let text = head.requestedHost else { return nil }
        guard let authority = Authority(text) else {
            throw .malformedMessage("Host: expected a host and perhaps a port, found '\(text.inOneLine)'")
        }
        return authority
    }

    private static func checkFraming(_ fields: HTTPFields, _ head: HTTPConnection.RequestHead) throws(ServerError) {
        guard let coding = fields[.transferEncoding] else { return }
        // HTTP/1.0 has no transfer codings, so a proxy may have parsed the message differently.
        guard !head.isHTTP10 else { throw .malformedMessage("Transfer-Encoding is not part of HTTP/1.0") }
        guard coding.lowercased() == "chunked" else {
            throw .notImplemented("Transfer-Encoding: only chunked is known, found '\(coding.inOneLine)'")
        }
    }

    /// Checks that the body is uncompressed JSON. A body without a content type is accepted.
    static func checkContent(_ fields: HTTPFields) throws(ServerError) {
        if let coding = fields[.contentEncoding], !["", "identity"].contains(coding.lowercased()) {
            throw .unsupportedMedia(
                "Content-Encoding: bodies are read without compression only, found '\(coding.inOneLine)'")
        }
        guard let type = fields[.contentType] else { return }
        let media = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        // A page of another origin may send plain text and forms without a preflight request, but not JSON.
        guard media == "application/json" || (media.hasPrefix("application/") && media.hasSuffix("+json")) else {
            throw .unsupportedMedia("Content-Type: expected application/json, found '\(type.inOneLine)'")
        }
    }
}

extension HTTPConnection.RequestHead {
    /// The requested host and port: from an absolute target, otherwise from the `Host` field.
    var requestedHost: String? {
        guard let scheme = target.firstRange(of: "://"), !target.hasPrefix("/") else { return hosts.first }
        let authority = target[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        return String(authority.split(separator: "@", omittingEmptySubsequences: false).last ?? authority)
    }
}
