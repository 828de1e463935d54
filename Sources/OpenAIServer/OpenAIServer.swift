import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle

/// An HTTP server with OpenAI's API for a `CompletionService`.
///
/// It is a service of swift-service-lifecycle. The engine must outlive it: the command line stops the engine after the
/// `ServiceGroup` has returned. On a graceful shutdown the server stops accepting connections, responds with 503 on
/// open ones, waits `drainSeconds` for running requests, aborts the others and returns.
public struct OpenAIServer: Service, CustomStringConvertible {
    private let service: any CompletionService
    private let options: ServerOptions
    private let metrics: PrometheusMetrics
    private let logger: Logger
    private let onListening: @Sendable (_ url: String) async -> Void

    /// A server of `service`. It calls `onListening` with its URL, including the actual port, when it accepts
    /// connections.
    public init(
        service: any CompletionService, options: ServerOptions, metrics: PrometheusMetrics, logger: Logger,
        onListening: @escaping @Sendable (_ url: String) async -> Void = { _ in }
    ) {
        self.service = service
        self.options = options
        self.metrics = metrics
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until a graceful shutdown or cancellation. Throws if the address cannot be bound.
    public func run() async throws {
        let running = RunningRequests()
        let application = application(running)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await application.run()
                return true
            }
            group.addTask {
                // Throws if the server is cancelled or fails.
                try await gracefulShutdown()
                await drain(running)
                return false
            }
            // The application returns when its connections are closed; it is cancelled if idle ones stay open.
            defer { group.cancelAll() }
            if try await group.next() == false {
                group.cancelAll()
                _ = try? await group.next()
            }
        }
    }

    /// The type's name. A service group logs its services, and the default description would contain the key and the
    /// model.
    public var description: String { "OpenAIServer" }

    private func application(_ running: RunningRequests) -> Application<Routes> {
        let routes = Routes(service: service, options: options, running: running, metrics: metrics, logger: logger)
        // Hummingbird logs its address at level info; this server logs its URL instead.
        var quiet = logger
        if quiet.logLevel == .info { quiet.logLevel = .notice }
        return Application(
            responder: routes,
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [HTTPConnection.Installer()], idleTimeout: .seconds(75))),
            configuration: ApplicationConfiguration(
                address: .hostname(options.host, port: options.port), serverName: "quire"),
            onServerRunning: { channel in
                let host = options.host.contains(":") ? "[\(options.host)]" : options.host
                let url = "http://\(host):\(channel.localAddress?.port ?? options.port)"
                logger.info("listening on \(url)")
                await onListening(url)
            },
            logger: quiet)
    }

    /// Waits at most `drainSeconds` for running requests, then aborts the others and waits until their clients are
    /// told.
    private func drain(_ running: RunningRequests) async {
        running.close()
        logger.info("shutting down, waiting up to \(options.drainSeconds) s for running requests")
        await wait(for: running, seconds: options.drainSeconds)
        if !running.isEmpty { logger.warning("aborting requests that are still running") }
        running.abortAll()
        await wait(for: running, seconds: 1)
        // Connections close after their last response.
        try? await Task.sleep(for: .milliseconds(500))
    }

    private func wait(for running: RunningRequests, seconds: Double) async {
        let end = ContinuousClock.now + .seconds(seconds)
        while !running.isEmpty, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
    }
}
