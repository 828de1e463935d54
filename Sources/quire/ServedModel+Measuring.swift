import Assembly
import EngineConfig
import Logging
import OpenAIServer

extension ServedModel {
    /// Loads what `configuration` names for a command whose result is a table; `bar` shows how far it is.
    init(measuring configuration: EngineConfiguration, _ bar: ProgressBar) throws {
        let logger = Logger(measuring: configuration.logging)
        try self.init(
            configuration, catalog: try PluginCatalog.commandLine(configuration, logger), metrics: PrometheusMetrics(),
            logger: logger, usesAdapter: true
        ) { bar.show("loading \(configuration.model.name)", $0) }
    }
}
