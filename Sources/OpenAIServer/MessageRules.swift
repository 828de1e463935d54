import Hummingbird
import NIOHTTP1

/// What a request's head must keep to before anybody looks at what it asks for (RFC 9110 and 9112).
enum MessageRules {
    /// Checks version, host, framing and expectations; the host that the client called, nil where HTTP/1.0 names none.
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
        guard let text = head.calledHost else { return nil }
        guard let authority = Authority(text) else {
            throw .malformedMessage("Host: expected a host and perhaps a port, found '\(text.inOneLine)'")
        }
        return authority
    }

    private static func checkFraming(_ fields: HTTPFields, _ head: HTTPConnection.RequestHead) throws(ServerError) {
        guard let coding = fields[.transferEncoding] else { return }
        // It was not in HTTP/1.0, so somebody on the way may have read the message in another way.
        guard !head.isHTTP10 else { throw .malformedMessage("Transfer-Encoding is not part of HTTP/1.0") }
        guard coding.lowercased() == "chunked" else {
            throw .notImplemented("Transfer-Encoding: only chunked is known, found '\(coding.inOneLine)'")
        }
    }

    /// Checks that the body is JSON as it stands. A body of no stated type is tried.
    static func checkContent(_ fields: HTTPFields) throws(ServerError) {
        if let coding = fields[.contentEncoding], !["", "identity"].contains(coding.lowercased()) {
            throw .unsupportedMedia(
                "Content-Encoding: bodies are read without compression only, found '\(coding.inOneLine)'")
        }
        guard let type = fields[.contentType] else { return }
        let media = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        // A page of another origin may send plain text and forms without being asked first, but no JSON.
        guard media == "application/json" || (media.hasPrefix("application/") && media.hasSuffix("+json")) else {
            throw .unsupportedMedia("Content-Type: expected application/json, found '\(type.inOneLine)'")
        }
    }
}

extension HTTPConnection.RequestHead {
    /// The host that the request is for, with its port: of the target, where that is absolute, else of the `Host` field.
    var calledHost: String? {
        guard let scheme = target.firstRange(of: "://"), !target.hasPrefix("/") else { return hosts.first }
        let authority = target[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        return String(authority.split(separator: "@", omittingEmptySubsequences: false).last ?? authority)
    }
}
