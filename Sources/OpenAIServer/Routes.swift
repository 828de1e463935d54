import CoreMetrics
import Hummingbird
import JSON
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import Tokenization

/// Responds to requests: checks message, origin, key and method, runs the route's function, counts requests, and
/// converts errors to OpenAI's error object.
struct Routes: HTTPResponder {
    typealias Context = Exchange

    private let service: any CompletionService
    private let options: ServerOptions
    private let running: RunningRequests
    private let metrics: PrometheusMetrics
    private let logger: Logger
    private let access: BrowserAccess
    private let specialTexts: ByteTrie
    private let unreadFields = UnreadFields()

    init(
        service: any CompletionService, options: ServerOptions, running: RunningRequests, metrics: PrometheusMetrics,
        logger: Logger
    ) {
        self.service = service
        self.options = options
        self.running = running
        self.metrics = metrics
        self.logger = logger
        access = BrowserAccess(options)
        specialTexts = ByteTrie(service.tokenizer.specialTokens)
    }

    func respond(to request: Request, context: Exchange) async throws -> Response {
        let start = ContinuousClock.now
        let connection = try await context.connection()
        let route = Route(path: request.uri.path)
        var response: Response
        do {
            response = try await answer(request, route, connection, on: context.channel)
        } catch {
            let isGone = error is CancellationError && connection.isGone && running.isOpen
            let failure = isGone ? .clientClosedRequest : running.failure(error)
            if case .internalFailure = failure { logger.error("a request failed: \(error)") }
            response = Response(error: failure)
        }
        if let origin = request.headers[.origin], access.allows(origin: origin) { response.allowReading(by: origin) }
        let method = Route.methods.contains(request.method) ? request.method.rawValue : "other"
        let status = response.status.code
        Counter(
            label: "http_requests_total",
            dimensions: [("method", method), ("path", route?.path ?? "other"), ("status", "\(status)")],
            factory: metrics
        ).increment()
        logger.debug(
            "request",
            metadata: [
                "method": "\(request.method.rawValue.inOneLine)", "path": "\(request.uri.path.inOneLine)",
                "status": "\(status)", "duration": "\(ContinuousClock.now - start)",
            ])
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(
        _ request: Request, _ route: Route?, _ connection: HTTPConnection, on channel: any Channel
    ) async throws -> Response {
        guard let head = connection.request else { throw ServerError.internalFailure("the connection lost a request") }
        let authority = try MessageRules.check(request.headers, head)
        if let authority { try access.check(host: authority.host) }
        if let origin = request.headers[.origin] {
            try access.check(origin: origin, authority: authority)
            if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
                return Response(preflight: request)
            }
        }
        // All routes that are not public need the key, including unknown paths (CVE-2026-48746).
        if let apiKey = options.apiKey, route?.isPublic != true, !apiKey.accepts(request.headers[.authorization]) {
            throw ServerError.unauthorized
        }
        let needsLoading = route == .loadAdapter || route == .unloadAdapter
        guard let route, !needsLoading || service.adapterLoading != nil else {
            throw ServerError.unknownPath(request.uri.path.inOneLine)
        }
        guard route.allowed.contains(request.method) else {
            let allowed = route.allowed.map(\.rawValue).joined(separator: ", ")
            throw ServerError.methodNotAllowed(request.method.rawValue.inOneLine, allowed: allowed)
        }
        guard running.isOpen || route == .metrics || route == .ping else {
            throw ServerError.unavailable("the server is shutting down")
        }
        switch route {
        case .health, .ping: return Response(status: .ok)
        case .version: return Response(json: ["version": .string(options.version)])
        case .metrics:
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.exposition)))
        case .models: return Response(json: ModelsRoute(service: service).list)
        case .model(let name):
            return Response(json: try ModelsRoute(service: service).model(name))
        case .tokenize, .detokenize, .completions, .chatCompletions:
            let fields = try Fields(body: try await body(of: request, connection, on: channel))
            _ = try ModelsRoute(service: service).resolve(try fields.string("model"))
            return try await post(fields, to: route, on: connection)
        case .loadAdapter, .unloadAdapter:
            let fields = try Fields(body: try await body(of: request, connection, on: channel))
            guard let loading = service.adapterLoading else { throw ServerError.unknownPath(route.path) }
            let adapters = AdapterRoute(loading: loading)
            let sentence = try await route == .loadAdapter ? adapters.load(fields) : adapters.unload(fields)
            logger.info("\(sentence.inOneLine)")
            unreadFields.log(fields, to: logger)
            return Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: sentence)))
        }
    }

    private func post(_ fields: Fields, to route: Route, on connection: HTTPConnection) async throws -> Response {
        switch route {
        case .completions: return try await completion(fields, on: connection)
        case .chatCompletions: return try await chat(fields, on: connection)
        default:
            let tokenizing = TokenizeRoute(service: service, specialTexts: specialTexts)
            let answer = try route == .tokenize ? tokenizing.tokenize(fields) : tokenizing.detokenize(fields)
            unreadFields.log(fields, to: logger)
            return Response(json: answer)
        }
    }

    /// The whole body. Errors that the head implies are thrown before the client sends the body.
    private func body(
        of request: Request, _ connection: HTTPConnection, on channel: any Channel
    ) async throws -> [UInt8] {
        try MessageRules.checkContent(request.headers)
        let limit = options.maxBodyByteCount
        if let announced = request.headers[.contentLength], (Int(announced) ?? .max) > limit {
            throw ServerError.bodyTooLarge(limit: limit)
        }
        if let head = connection.request, !head.isHTTP10, !head.isComplete, request.headers[.expect] != nil {
            connection.sendContinue(on: channel)
        }
        var bytes: [UInt8] = []
        do {
            for try await part in request.body {
                guard bytes.count + part.readableBytes <= limit else { throw ServerError.bodyTooLarge(limit: limit) }
                bytes += part.readableBytesView
            }
        } catch let error as HTTPParserError where channel.isActive {
            throw ServerError.malformedMessage("the body is broken: \(error)")
        } catch let error where error is HTTPParserError || error is NIOCore.IOError || error is ChannelError {
            throw ServerError.clientClosedRequest
        }
        guard connection.request?.isComplete == true || !running.isOpen else { throw ServerError.clientClosedRequest }
        return bytes
    }

    private func completion(_ fields: Fields, on connection: HTTPConnection) async throws -> Response {
        let request = try CompletionRequest(fields, service: service, options: options)
        unreadFields.log(fields, to: logger)
        let response = CompletionResponse(to: request, service: service)
        let output = try ResponseStream.submit(
            request.generationRequests, choiceCount: request.options.choiceCount, to: service)
        guard request.options.stream == nil else { return stream(response, output, on: connection) }
        let results = try await running.run(on: connection) { try await output.collect() }
        return Response(json: response.json(results))
    }

    private func chat(_ fields: Fields, on connection: HTTPConnection) async throws -> Response {
        let request = try ChatRequest(fields, service: service, options: options, specialTexts: specialTexts)
        unreadFields.log(fields, to: logger)
        let response = ChatResponse(to: request, service: service)
        let output = try ResponseStream.submit(
            [request.generationRequest], choiceCount: request.options.choiceCount, to: service)
        guard request.options.stream == nil else { return stream(response, output, on: connection) }
        let results = try await running.run(on: connection) { try await output.collect() }
        return Response(json: response.json(results[0]))
    }

    private func stream(
        _ response: some StreamedResponse, _ output: ResponseStream, on connection: HTTPConnection
    ) -> Response {
        let body = ResponseBody { [running] writer in
            let shared = TransferredWriter(writer)
            do {
                try await running.run(on: connection) {
                    var writer = shared.writer
                    try await EventStream.send(response, of: output, to: &writer)
                }
            } catch {
                // Written outside of the task, because a cancelled task cannot write.
                try await writer.write(EventStream.event(running.failure(error).body))
            }
            try await writer.finish(nil)
        }
        // Proxies must not buffer events.
        let headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache", .xAccelBuffering: "no",
        ]
        return Response(status: .ok, headers: headers, body: body)
    }
}

/// A body writer that is passed to the task that writes.
///
/// `@unchecked Sendable`: the function that creates it does not use its own copy until the task has ended, so only one
/// of them writes at any time.
private struct TransferredWriter: @unchecked Sendable {
    let writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }
}

/// Logs each field of requests that is not read once: a typing error, or an option of another server.
private final class UnreadFields: Sendable {
    /// Maximum number of logged names, because clients can send any number of them.
    private static let nameLimit = 100
    private let names = Mutex<Set<String>>([])

    func log(_ fields: Fields, to logger: Logger) {
        for name in fields.unreadKeys.map(\.inOneLine) {
            let isNew = names.withLock { $0.count < Self.nameLimit && $0.insert(name).inserted }
            if isNew {
                logger.warning("the request field '\(name)' has no effect; later requests with it are not named")
            }
        }
    }
}

/// Hummingbird's context of a request: its connection.
struct Exchange: InitializableFromSource, Sendable {
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
    }

    /// The HTTP/1 properties of the connection.
    func connection() async throws -> HTTPConnection {
        try await channel.pipeline.handler(type: HTTPConnection.self).get()
    }
}
