import Assembly
import CLibrary
import EngineConfig
import Logging

extension PluginCatalog {
    /// The plugins as the command line uses them: compiled kernels are kept in the user's cache, fallbacks are logged.
    static func commandLine(_ configuration: EngineConfiguration, _ logger: Logger) throws -> PluginCatalog {
        try builtin(and: configuration, kernelCache: kernelCache) { logger.warning("\($0)") }
    }

    /// `$XDG_CACHE_HOME/quire/kernels`; nil where neither that variable nor `HOME` is set.
    private static var kernelCache: String? {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        let base = variable("XDG_CACHE_HOME") ?? variable("HOME").map { $0 + "/.cache" }
        return base.map { $0 + "/quire/kernels" }
    }
}
