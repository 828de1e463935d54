import CoreMetrics
import Hummingbird
import JSON
import Logging
import NIOCore
import Tokenization

/// Finds what answers a request, checks key and method, counts, and turns every error into OpenAI's error object.
struct Routes: HTTPResponder {
    typealias Context = Exchange

    private let service: any CompletionService
    private let options: ServerOptions
    private let running: RunningRequests
    private let metrics: PrometheusMetrics
    private let logger: Logger
    private let apiKey: APIKey?
    private let specialTexts: ByteTrie

    /// The routes to `service`.
    init(
        service: any CompletionService, options: ServerOptions, running: RunningRequests, metrics: PrometheusMetrics,
        logger: Logger
    ) {
        self.service = service
        self.options = options
        self.running = running
        self.metrics = metrics
        self.logger = logger
        apiKey = options.apiKey
        specialTexts = ByteTrie(service.tokenizer.specialTokens)
    }

    func respond(to request: Request, context: Exchange) async throws -> Response {
        let start = ContinuousClock.now
        let route = Route(path: request.uri.path)
        var response: Response
        do {
            response = try await answer(request, route, context)
        } catch {
            let failure = running.failure(error)
            if case .internalFailure = failure { logger.error("a request failed: \(error)") }
            response = Response(error: failure)
        }
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

    private func answer(_ request: Request, _ route: Route?, _ context: Exchange) async throws -> Response {
        // Whatever is not known to be public needs the key, unknown paths included (CVE-2026-48746).
        if let apiKey, route?.isPublic != true, !apiKey.accepts(request.headers[.authorization]) {
            throw ServerError.unauthorized
        }
        guard let route else { throw ServerError.unknownPath(request.uri.path.inOneLine) }
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
            try ModelsRoute(service: service).check(name)
            return Response(json: ModelsRoute(service: service).model)
        case .tokenize:
            return Response(
                json: try TokenizeRoute(service: service, specialTexts: specialTexts).tokenize(
                    try await fields(request)))
        case .detokenize:
            return Response(
                json: try TokenizeRoute(service: service, specialTexts: specialTexts).detokenize(
                    try await fields(request)))
        case .completions:
            let fields = try await fields(request)
            return try await completion(fields, on: context.connection())
        case .chatCompletions:
            let fields = try await fields(request)
            return try await chat(fields, on: context.connection())
        }
    }

    private func fields(_ request: Request) async throws -> Fields {
        let fields = try Fields(body: try await body(of: request))
        try ModelsRoute(service: service).check(try fields.string("model"))
        return fields
    }

    /// The whole body. Of one that is too large the rest is read and dropped, within reason, because most clients listen
    /// for an answer only once they have sent everything.
    private func body(of request: Request) async throws -> [UInt8] {
        let limit = options.maxBodyByteCount
        let patience = limit + (64 << 20)
        var bytes: [UInt8] = []
        var byteCount = 0
        for try await part in request.body {
            byteCount += part.readableBytes
            if byteCount <= limit { bytes += part.readableBytesView }
            if byteCount > patience { break }
        }
        guard byteCount <= limit else { throw ServerError.bodyTooLarge(limit: limit) }
        return bytes
    }

    private func completion(_ fields: Fields, on connection: HangUpHandler) async throws -> Response {
        let body = try CompletionBody(fields, service: service, options: options)
        let answer = CompletionAnswer(body, service: service)
        let generation = try Generation(answer.requests, choiceCount: body.options.choiceCount, service: service)
        guard body.options.stream == nil else { return stream(answer, generation, on: connection) }
        let results = try await running.run(on: connection) { try await generation.collect() }
        return Response(json: answer.json(results))
    }

    private func chat(_ fields: Fields, on connection: HangUpHandler) async throws -> Response {
        let body = try ChatBody(fields, service: service, options: options, specialTexts: specialTexts)
        let answer = ChatAnswer(body, service: service)
        let generation = try Generation([answer.request], choiceCount: body.options.choiceCount, service: service)
        guard body.options.stream == nil else { return stream(answer, generation, on: connection) }
        let results = try await running.run(on: connection) { try await generation.collect() }
        return Response(json: answer.json(results[0]))
    }

    private func stream(
        _ answer: some StreamingAnswer, _ generation: Generation, on connection: HangUpHandler
    ) -> Response {
        let body = ResponseBody { [running] writer in
            let shared = TransferredWriter(writer)
            do {
                try await running.run(on: connection) {
                    var writer = shared.writer
                    try await EventStream.send(answer, of: generation, to: &writer)
                }
            } catch {
                // Out here, because a task that was cancelled cannot write any more.
                try await writer.write(EventStream.event(running.failure(error).body))
            }
            try await writer.finish(nil)
        }
        // Proxies must pass each event on at once.
        let headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache", .xAccelBuffering: "no",
        ]
        return Response(status: .ok, headers: headers, body: body)
    }
}

/// A body writer on its way into the task that writes.
///
/// `@unchecked Sendable`: the function that makes one waits for the task before it touches its own copy again, so only
/// one of them writes at any time.
private struct TransferredWriter: @unchecked Sendable {
    let writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }
}
