import CoreMetrics
import Logging
import OpenAIServer
import ServiceLifecycle
import Synchronization

/// A server on a free port of the loopback interface, for as long as a test runs.
struct TestServer: Sendable {
    let port: Int
    let metrics: PrometheusMetrics
    let shutDown: @Sendable () async -> Void

    /// Runs `body` with a server of `service`; `log` collects its log lines of all levels.
    static func run<Value: Sendable>(
        _ service: any CompletionService, options: (inout ServerOptions) -> Void = { _ in }, log: TestLog? = nil,
        _ body: @Sendable @escaping (TestServer) async throws -> Value
    ) async throws -> Value {
        var serverOptions = ServerOptions(version: "1.2.3")
        serverOptions.port = 0
        serverOptions.drainSeconds = 0.1
        options(&serverOptions)
        let metrics = PrometheusMetrics()
        var logger = Logger(label: "test") { _ in log ?? TestLog() }
        logger.logLevel = log == nil ? .critical : .trace
        let (urls, listening) = AsyncStream<String>.makeStream()
        let server = OpenAIServer(service: service, options: serverOptions, metrics: metrics, logger: logger) { url in
            listening.yield(url)
        }
        let group = ServiceGroup(configuration: .init(services: [.init(service: server)], logger: logger))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = urls.makeAsyncIterator()
            guard let url = await iterator.next(), let port = url.split(separator: ":").last.flatMap({ Int($0) }) else {
                throw TestFailure("the server does not listen")
            }
            let test = TestServer(port: port, metrics: metrics) { await group.triggerGracefulShutdown() }
            do {
                let value = try await body(test)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                return value
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
        }
    }

    func connect() async throws -> TestConnection { try await TestConnection(port: port) }

    func get(_ path: String, headers: String = "") async throws -> TestResponse {
        let connection = try await connect()
        try await connection.send("GET \(path) HTTP/1.1\r\nHost: test\r\n\(headers)\r\n")
        let response = try await connection.response()
        try await connection.close()
        return response
    }

    func post(_ path: String, _ body: String, headers: String = "") async throws -> TestResponse {
        let connection = try await connect()
        try await connection.send(Self.request(path, body, headers: headers))
        let response = try await connection.response()
        try? await connection.close()
        return response
    }

    static func request(_ path: String, _ body: String, headers: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n\(headers)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}

/// Waits up to ten seconds for `condition`.
func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<2000 where !condition() { try await Task.sleep(for: .milliseconds(5)) }
    return condition()
}

/// Collects log lines in the form in which a handler would print them.
struct TestLog: LogHandler {
    private final class Lines: Sendable {
        let lines = Mutex<[String]>([])
    }

    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]
    private let kept = Lines()

    var lines: [String] { kept.lines.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let rest = fields.map { " \($0.key)=\($0.value)" }.sorted().joined()
        kept.lines.withLock { $0.append("\(event.level) \(event.message)\(rest)") }
    }
}
