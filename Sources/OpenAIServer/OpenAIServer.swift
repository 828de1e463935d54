import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle

/// An HTTP server that speaks OpenAI's protocol over a `CompletionService`.
///
/// A swift-service-lifecycle service, whose engine must outlive it: the command line stops the engine when the
/// `ServiceGroup` has returned. On a graceful shutdown it stops accepting, answers 503 on connections that are kept alive,
/// waits `drainSeconds` for what runs, aborts the rest and returns.
public struct OpenAIServer: Service, CustomStringConvertible {
    private let service: any CompletionService
    private let options: ServerOptions
    private let metrics: PrometheusMetrics
    private let logger: Logger
    private let onListening: @Sendable (_ url: String) async -> Void

    /// A server of `service`. `onListening` is called with its address, the real port in it, once it accepts.
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

    /// Serves until a graceful shutdown or cancellation. Throws where the address cannot be bound.
    public func run() async throws {
        let running = RunningRequests()
        let application = application(running)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await application.run()
                return true
            }
            group.addTask {
                // Ends by throwing where the server is cancelled instead, or fails.
                try await gracefulShutdown()
                await drain(running)
                return false
            }
            // The application returns when its connections are closed; where drained ones hold on, it is cancelled.
            defer { group.cancelAll() }
            if try await group.next() == false {
                group.cancelAll()
                _ = try? await group.next()
            }
        }
    }

    /// The type's name. A service group puts its services into the lines that it logs, and this one holds a key and,
    /// with its model, megabytes.
    public var description: String { "OpenAIServer" }

    private func application(_ running: RunningRequests) -> Application<Routes> {
        let routes = Routes(service: service, options: options, running: running, metrics: metrics, logger: logger)
        // Hummingbird says at info where it listens; so do we, with a URL.
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

    /// Waits until nothing runs, at most `drainSeconds`, then aborts what does and gives it a moment to say so.
    private func drain(_ running: RunningRequests) async {
        running.close()
        logger.info("shutting down, waiting up to \(options.drainSeconds) s for running requests")
        await wait(for: running, seconds: options.drainSeconds)
        if !running.isEmpty { logger.warning("aborting requests that are still running") }
        running.abortAll()
        await wait(for: running, seconds: 1)
        // Connections close themselves after their last answer.
        try? await Task.sleep(for: .milliseconds(500))
    }

    private func wait(for running: RunningRequests, seconds: Double) async {
        let end = ContinuousClock.now + .seconds(seconds)
        while !running.isEmpty, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
    }
}
