import CLibrary
import JSON
import SharedValues

/// A hub's API, as far as downloads need it: a repository's files, and their content.
final class HubClient {
    let options: HubOptions
    private let http: HTTPClient
    private let onRetry: (_ reason: String, _ seconds: Double) -> Void
    private let sleep: (Double) -> Void

    /// Bytes of a list of files: some repositories have tens of thousands.
    private static let maximumListByteCount = 64 << 20
    private static let maximumRedirectCount = 10
    private static let maximumPauseSeconds = 300.0

    /// - Parameter onRetry: called before each pause, with its reason and length.
    /// - Parameter sleep: waits for so many seconds.
    init(
        _ options: HubOptions, onRetry: @escaping (String, Double) -> Void,
        sleep: @escaping (Double) -> Void = HubClient.sleep
    ) throws(HubError) {
        self.options = options
        self.onRetry = onRetry
        self.sleep = sleep
        http = try HTTPClient(
            userAgent: options.userAgent, certificateFile: options.certificateFile, stallSeconds: options.stallSeconds)
    }

    /// Waits for so many seconds, and longer where a signal arrives.
    static func sleep(_ seconds: Double) {
        let end = ContinuousClock.now + .seconds(seconds)
        while case let left = ContinuousClock.now.duration(to: end), left > .zero {
            // At most a second, which is as far as usleep counts everywhere.
            usleep(UInt32(min(left / .seconds(1), 0.9) * 1e6) + 1)
        }
    }

    /// The files of `model`, whose revision becomes a commit.
    func listing(of model: ModelReference) throws(HubError) -> HubListing {
        let url =
            "\(options.endpoint.url)/api/models/\(model.repository)/revision/\(model.revision.percentEncoded())?blobs=true"
        let body = try retrying(url) { () throws(AttemptFailure) in
            var body: [UInt8] = []
            let answer = try self.exchange(HTTPRequest(url: url)) { _, bytes in
                body += bytes
                return body.count <= Self.maximumListByteCount
            }
            try self.check(answer, model, file: nil, url, body)
            if answer.isStopped { throw .stopped }
            return body
        }
        return try HubListing(json: body, url: url)
    }

    /// What the hub says about one file: for hubs whose lists have no digests. Throws `invalidAnswer` where it does not say it.
    func facts(of path: String, _ model: ModelReference, commit: String) throws(HubError) -> HubListing.File {
        let url = address(of: path, model, commit: commit)
        let answer = try retrying(url) { () throws(AttemptFailure) in
            // The hub's own answer: the content's server, to which it redirects, has other tags.
            let answer = try self.exchange(HTTPRequest(url: url, isHead: true), leavesHub: false) { _, _ in true }
            if !answer.isRedirect { try self.check(answer, model, file: path, url, []) }
            return answer
        }
        guard let tag = answer.fields["x-linked-etag"] ?? answer.fields["etag"], let digest = BlobDigest(eTag: tag)
        else {
            throw .invalidAnswer(url: url, reason: "expected a checksum in the ETag, found none")
        }
        let length = answer.fields["x-linked-size"] ?? (answer.isRedirect ? nil : answer.fields["content-length"])
        guard let count = length.flatMap({ Int($0) }), 0...(1 << 50) ~= count else {
            throw .invalidAnswer(url: url, reason: "expected the file's size, found none")
        }
        return HubListing.File(path: path, byteCount: count, digest: digest)
    }

    /// The content of a file from byte `start` on, once: `retrying` repeats it.
    ///
    /// `receive` gets the pieces with the answer's head, whose status is 200 (the whole file) or 206 (from `start` on);
    /// it returns false to end the transfer, which then throws `stopped`.
    func read(
        _ path: String, _ model: ModelReference, commit: String, from start: Int,
        receive: (HTTPAnswer, UnsafeRawBufferPointer) -> Bool
    ) throws(AttemptFailure) -> HTTPAnswer {
        let url = address(of: path, model, commit: commit)
        var request = HTTPRequest(url: url)
        if start > 0 { request.headers.append("Range: bytes=\(start)-") }
        var message: [UInt8] = []
        let answer = try exchange(request) { answer, bytes in
            if answer.status == 200 || answer.status == 206 { return receive(answer, bytes) }
            message += bytes.prefix(4096 - message.count)
            return message.count < 4096
        }
        try check(answer, model, file: path, url, message)
        if answer.isStopped { throw .stopped }
        return answer
    }

    /// The address of a file.
    func address(of path: String, _ model: ModelReference, commit: String) -> String {
        "\(options.endpoint.url)/\(model.repository)/resolve/\(commit)/\(path.percentEncoded(keeping: "/"))"
    }
}

/// Why one attempt failed, and whether another one makes sense.
enum AttemptFailure: Error {
    /// - Parameter pause: how long the server asks to wait, in seconds.
    case passing(reason: String, pause: Double?)
    /// The receiver wanted no more.
    case stopped
    case lasting(HubError)
}

extension HubClient {
    /// Repeats `attempt` while it fails for reasons that may pass, with pauses that double. `madeProgress` says whether
    /// bytes came since the last attempt. Throws `unreachable`, which names `url`, when the attempts are used up.
    func retrying<Result>(
        _ url: String, madeProgress: () -> Bool = { false }, _ attempt: () throws(AttemptFailure) -> Result
    ) throws(HubError) -> Result {
        var number = 1
        while true {
            do throws(AttemptFailure) { return try attempt() } catch {
                switch error {
                case .lasting(let error): throw error
                case .stopped: throw .invalidAnswer(url: url, reason: "the answer is longer than it may be")
                case .passing(let reason, let asked):
                    if madeProgress() { number = 1 }
                    guard number < options.attemptCount else {
                        throw .unreachable(url: url, reason: "\(reason); given up after \(number) attempts")
                    }
                    let doubled = options.retrySeconds * Double(1 << min(number - 1, 10))
                    let pause = min(max(asked ?? 0, doubled), Self.maximumPauseSeconds)
                    onRetry(reason, pause)
                    sleep(pause)
                    number += 1
                }
            }
        }
    }

    /// Sends a request and follows redirects. The token goes to the hub alone, and only where nobody can read it on the
    /// way. `leavesHub` says whether redirects to other servers are followed or returned.
    private func exchange(
        _ first: HTTPRequest, leavesHub: Bool = true, receive: (HTTPAnswer, UnsafeRawBufferPointer) -> Bool
    ) throws(AttemptFailure) -> HTTPAnswer {
        var request = first
        let hub = options.endpoint.origin
        for _ in 0...Self.maximumRedirectCount {
            guard let origin = WebOrigin(of: request.url) else {
                throw .lasting(.invalidAnswer(url: first.url, reason: "redirected to \(request.url.visible)"))
            }
            var sent = request
            if let token = options.token, origin == hub, hub.isPrivate {
                sent.headers.append("Authorization: Bearer \(token.text)")
            }
            let answer: HTTPAnswer
            do throws(HTTPFailure) {
                answer = try http.perform(sent) { $0.isRedirect || receive($0, $1) }
            } catch {
                guard !error.mayPass else {
                    throw .passing(reason: "\(origin.host): \(error.reason)", pause: nil)
                }
                throw .lasting(.unreachable(url: request.url.withoutQuery, reason: error.reason))
            }
            guard answer.isRedirect, let location = answer.location else { return answer }
            guard let next = WebOrigin(of: location), next.isPrivate || !origin.isPrivate else {
                throw .lasting(
                    .invalidAnswer(
                        url: first.url, reason: "redirected from \(origin.scheme) to \(location.withoutQuery.visible)"))
            }
            if !leavesHub, next != hub { return answer }
            request.url = location
        }
        throw .lasting(
            .invalidAnswer(url: first.url, reason: "redirected more than \(Self.maximumRedirectCount) times"))
    }

    /// Throws unless the status is one of success.
    private func check(
        _ answer: HTTPAnswer, _ model: ModelReference, file: String?, _ url: String, _ body: [UInt8]
    ) throws(AttemptFailure) {
        let message = Self.message(answer, body)
        let code = answer.fields["x-error-code"] ?? ""
        switch answer.status {
        case 200, 206: return
        case 408, 429, 500...599:
            throw .passing(reason: "status \(answer.status)\(message)", pause: Self.askedPause(answer))
        case 401, 403:
            let isGated = code == "GatedRepo"
            let advice =
                if isGated {
                    "accept the model's terms at \(options.endpoint.url)/\(model.repository)"
                        + (options.token == nil ? ", and give an access token (--token-file, HF_TOKEN)" : "")
                } else if options.token == nil {
                    "check the name, or give an access token (--token-file, HF_TOKEN)"
                } else if !options.endpoint.origin.isPrivate {
                    "the access token was not sent, as \(options.endpoint) is not https"
                } else {
                    "check the name, and whether the access token is valid and may read it"
                }
            throw .lasting(
                .refused(model: model, status: answer.status, isGated: isGated, reason: advice + message))
        case 404:
            let what: HubError.MissingPart =
                switch (code, file) {
                case ("RevisionNotFound", _): .revision
                case ("RepoNotFound", _): .repository
                case (_, let file?): .file(file)
                case (_, nil): .repository
                }
            throw .lasting(.notFound(model: model, what: what, reason: message))
        default: throw .lasting(.status(url: url, status: answer.status, reason: message))
        }
    }

    /// The seconds in `Retry-After`, or until the quota of `RateLimit: "api";r=0;t=55` is whole again
    /// (draft-ietf-httpapi-ratelimit-headers).
    private static func askedPause(_ answer: HTTPAnswer) -> Double? {
        let quota = (answer.fields["ratelimit"] ?? "").split(separator: ";").first { $0.hasPrefix("t=") }?.dropFirst(2)
        return (answer.fields["retry-after"] ?? quota.map { String($0) }).flatMap { Double($0) }.flatMap {
            $0.isFinite && $0 >= 0 ? $0 : nil
        }
    }

    /// The hub's own sentence: from its header, or from the JSON of an error.
    private static func message(_ answer: HTTPAnswer, _ body: [UInt8]) -> String {
        if let text = answer.fields["x-error-message"], !text.isEmpty { return " (\"\(text.visible)\")" }
        if let value = try? JSONParser.parse(body), case .string(let text)? = value["error"] {
            return " (\"\(text.visible)\")"
        }
        return ""
    }
}

extension String {
    /// With every byte but letters, digits and `-._~` as `%XX` (RFC 3986, 2.3), and those of `kept`.
    func percentEncoded(keeping kept: String = "") -> String {
        var text = ""
        for byte in utf8 {
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                byte < 0x80
                && (scalar.properties.isAlphabetic || (0x30...0x39).contains(byte)
                    || "-._~".unicodeScalars.contains(scalar))
            if isPlain || kept.unicodeScalars.contains(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }

    /// An address without what follows `?`, where servers put signatures that give access.
    var withoutQuery: String { String(prefix { $0 != "?" }) }
}
