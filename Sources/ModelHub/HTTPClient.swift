import CCurl
import CLibrary

/// A request to one server. Redirects are not followed: the caller decides what the next server may know.
struct HTTPRequest {
    var url: String
    /// Whether only the head of the answer is asked for.
    var isHead = false
    /// Header lines without line ends.
    var headers: [String] = []
}

/// The head of an answer.
struct HTTPAnswer {
    var status = 0
    /// Values by their names in lower case; of several, the last one.
    var fields: [String: String] = [:]
    /// The absolute address that a redirect names.
    var location: String?
    /// Whether the receiver of the body ended the transfer.
    var isStopped = false

    var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) }
}

/// Why there is no complete answer.
struct HTTPFailure: Error {
    let reason: String
    /// Whether another attempt may succeed: after a lost connection, and not after a wrong certificate.
    let mayPass: Bool
}

/// One connection after another through libcurl, on the calling thread. Connections to a server are used again.
final class HTTPClient {
    private let library: CurlLibrary
    private let handle: UnsafeMutableRawPointer
    private let userAgent: String
    private let certificateFile: String?
    private let stallSeconds: Int

    /// - Parameter certificateFile: PEM certificates of authorities to trust instead of the system's.
    /// - Parameter stallSeconds: how long a connection may stay without a byte before it counts as lost.
    init(userAgent: String, certificateFile: String?, stallSeconds: Int) throws(HubError) {
        library = try CurlLibrary()
        guard let handle = library.functions.easy_init() else {
            throw .noLibrary(reason: "libcurl has no memory for a connection")
        }
        self.handle = handle
        self.userAgent = userAgent
        self.certificateFile = certificateFile
        self.stallSeconds = stallSeconds
    }

    deinit { library.functions.easy_cleanup(handle) }

    /// Sends `request` and waits for the whole answer. `receive` gets the pieces of the body with the answer's head, and
    /// returns false to end the transfer.
    func perform(
        _ request: HTTPRequest, receive: (HTTPAnswer, UnsafeRawBufferPointer) -> Bool
    ) throws(HTTPFailure) -> HTTPAnswer {
        let result: Result<HTTPAnswer, HTTPFailure> = withoutActuallyEscaping(receive) { receive in
            let exchange = Exchange(receive: receive)
            let code = withExtendedLifetime(exchange) { perform(request, exchange) }
            guard code == CURLE_OK || exchange.answer.isStopped else { return .failure(failure(code)) }
            return .success(exchange.answer)
        }
        return try result.get()
    }

    private func perform(_ request: HTTPRequest, _ exchange: Exchange) -> CURLcode {
        withUnsafePointer(to: library.functions) { curl in
            curl.pointee.easy_reset(handle)
            var lines: UnsafeMutablePointer<curl_slist>?
            // Compressed answers would have no length, and no place to resume at.
            for line in request.headers + ["Accept-Encoding: identity"] {
                lines = curl.pointee.slist_append(lines, line) ?? lines
            }
            defer { curl.pointee.slist_free_all(lines) }
            func set(_ option: CURLoption, _ value: Int) { _ = quire_curl_set_long(curl, handle, option, value) }
            func set(_ option: CURLoption, _ value: String) { _ = quire_curl_set_text(curl, handle, option, value) }
            let httpAndHTTPS = 1 | 2
            set(quire_curl_protocols, httpAndHTTPS)
            set(CURLOPT_NOSIGNAL, 1)
            set(CURLOPT_CONNECTTIMEOUT, max(stallSeconds, 1))
            set(CURLOPT_LOW_SPEED_LIMIT, 1)
            set(CURLOPT_LOW_SPEED_TIME, max(stallSeconds, 1))
            set(CURLOPT_NOBODY, request.isHead ? 1 : 0)
            set(CURLOPT_BUFFERSIZE, 256 << 10)
            set(CURLOPT_USERAGENT, userAgent)
            if let certificateFile { set(CURLOPT_CAINFO, certificateFile) }
            _ = quire_curl_set_pointer(curl, handle, CURLOPT_HTTPHEADER, lines)
            let context = Unmanaged.passUnretained(exchange).toOpaque()
            _ = quire_curl_set_pointer(curl, handle, CURLOPT_HEADERDATA, context)
            _ = quire_curl_set_pointer(curl, handle, CURLOPT_WRITEDATA, context)
            _ = quire_curl_set_receiver(curl, handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
                Exchange.of(context)?.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
                return size * count
            }
            _ = quire_curl_set_receiver(curl, handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
                let body = UnsafeRawBufferPointer(start: bytes, count: size * count)
                return Exchange.of(context)?.take(body) == true ? size * count : 0
            }
            // Last, so that a bad URL cannot be mistaken for an option that failed.
            set(CURLOPT_URL, request.url)
            let code = curl.pointee.easy_perform(handle)
            exchange.answer.location = quire_curl_get_text(curl, handle, CURLINFO_REDIRECT_URL)
                .map { String(cString: $0) }
            return code
        }
    }

    private func failure(_ code: CURLcode) -> HTTPFailure {
        let lasting = [
            CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CONNECT_ERROR, CURLE_OUT_OF_MEMORY,
        ]
        let reason =
            switch code {
            case CURLE_OPERATION_TIMEDOUT: "no byte came for \(stallSeconds) s"
            case CURLE_PEER_FAILED_VERIFICATION:
                "no authority that this machine trusts has signed the server's certificate; SSL_CERT_FILE names others"
            case CURLE_PARTIAL_FILE: "the connection was closed in the middle of the answer"
            default:
                library.functions.easy_strerror(code).map { String(cString: $0) } ?? "libcurl's error \(code.rawValue)"
            }
        return HTTPFailure(reason: reason, mayPass: !lasting.contains(code))
    }
}

/// What one call of libcurl's callbacks shares: the head so far, and the receiver of the body.
private final class Exchange {
    var answer = HTTPAnswer()
    private let receive: (HTTPAnswer, UnsafeRawBufferPointer) -> Bool
    private static let maximumFieldCount = 200

    init(receive: @escaping (HTTPAnswer, UnsafeRawBufferPointer) -> Bool) { self.receive = receive }

    static func of(_ context: UnsafeMutableRawPointer?) -> Exchange? {
        context.map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Takes a line of a head. Proxies and interim answers have heads of their own: each status line starts anew.
    func takeHeader(_ bytes: UnsafeRawBufferPointer) {
        var line = Substring(String(decoding: bytes, as: UTF8.self))
        while line.last?.isWhitespace == true { line.removeLast() }
        if line.hasPrefix("HTTP/") {
            let parts = line.split(separator: " ")
            answer = HTTPAnswer(status: parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        } else if let colon = line.firstIndex(of: ":"), answer.fields.count < Self.maximumFieldCount {
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            answer.fields[line[..<colon].lowercased()] = String(value)
        }
    }

    func take(_ body: UnsafeRawBufferPointer) -> Bool {
        let goesOn = receive(answer, body)
        if !goesOn { answer.isStopped = true }
        return goesOn
    }
}
