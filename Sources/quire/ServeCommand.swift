import ArgumentParser
import Assembly
import EngineConfig
import InferenceEngine
import Logging
import OpenAIServer
import ServiceLifecycle
import SharedValues
import UnixSignals

/// `quire serve CONFIG`: an OpenAI-compatible server until SIGTERM or SIGINT.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves the model to OpenAI clients.")
    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try options.load()
        try await exitingWithStatus {
            let logger = Logger(configuration.logging)
            let metrics = PrometheusMetrics()
            let bar = ProgressBar()
            let model = try ServedModel(
                configuration, catalog: try PluginCatalog.commandLine(configuration, logger), metrics: metrics,
                logger: logger
            ) { bar.show("loading \(configuration.model.name)", $0) }
            let server = OpenAIServer(
                service: ModelService(configuration, model: model),
                options: ServerOptions(configuration.server), metrics: metrics, logger: logger)
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: server, successTerminationBehavior: .gracefullyShutdownGroup)],
                    gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
            defer { model.engine.stop() }
            try await group.run()
        }
    }
}

extension ServerOptions {
    init(_ section: ServerSection) {
        self.init(version: QuireVersion.current)
        host = section.host
        port = section.port
        maxBodyByteCount = section.maxBody
        maxChoices = section.maxChoices
        maxLogprobs = section.maxLogprobs
        apiKey = section.apiKey.map { APIKey($0.text) }
        allowedOrigins = section.allowedOrigins
        allowedHosts = section.allowedHosts
        drainSeconds = section.drainSeconds
    }
}
