/// A host and perhaps a port, as `Host` fields and origins name them (RFC 3986, section 3.2): `localhost:8000`,
/// `[::1]:8000`.
struct Authority: Equatable, Sendable {
    /// The host in lower case, an IPv6 address without its brackets. Empty where a request names none.
    let host: String
    /// The port, where it is named.
    let port: Int?

    /// Reads `text`; nil where it is no authority.
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
        // No digits after the colon is the usual port (RFC 3986, section 3.2.3).
        guard port != nil || digits.isEmpty else { return nil }
    }

    /// Unreserved characters, sub-delimiters and percent signs: what a registered name is made of.
    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-._~%!$&'()*+,;=".utf8.contains(byte)
        }
    }
}
