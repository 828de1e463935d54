public import EngineConfig
import PluginLoading
import Plugins

extension PluginCatalog {
    /// What comes with Quire (`builtin`), and the policies of the libraries that `configuration` names. Throws
    /// `ConfigurationError`, which names the library's file, where one cannot be used.
    public static func builtin(
        and configuration: EngineConfiguration, kernelCache: String? = nil,
        onFallback: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> PluginCatalog {
        var catalog = try builtin(kernelCache: kernelCache, onFallback: onFallback)
        try catalog.loadPlugins(of: configuration)
        return catalog
    }

    /// Registers the policy of each of the configured libraries under its own name.
    mutating func loadPlugins(of configuration: EngineConfiguration) throws(ConfigurationError) {
        var files: [String: String] = [:]
        for path in configuration.plugins.paths {
            let library: PluginLibrary
            do throws(PluginError) { library = try PluginLibrary(path: path) } catch {
                throw configuration.error(at: "plugins", message: "\(error)")
            }
            let name = library.policyName
            do throws(RegistryError) {
                try policies.register(name) { configuration in
                    let section = configuration.scheduler
                    do throws(PluginError) {
                        return try library.makePolicy(
                            options: section.pluginOptions, budgetMilliseconds: section.pluginTimeBudgetMs)
                    } catch {
                        throw configuration.error(at: "scheduler.plugin_options", message: "\(error)")
                    }
                }
            } catch {
                let owner = files[name].map { "plugin \($0) has" } ?? "quire itself has"
                throw configuration.error(
                    at: "plugins", message: "plugin \(path): \(owner) a policy \"\(name)\" already")
            }
            files[name] = path
        }
    }
}
